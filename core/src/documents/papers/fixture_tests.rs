//! Documents as programs write them; how they were made stands beside them.

use super::{Block, Paper, PaperKind};

const BROWSER: &[u8] = include_bytes!("../../../../tests/fixtures/papers/browser.pdf");
const TWO_COLUMNS: &[u8] = include_bytes!("../../../../tests/fixtures/papers/two-columns.pdf");
const CID: &[u8] = include_bytes!("../../../../tests/fixtures/papers/cid.pdf");
const SCAN: &[u8] = include_bytes!("../../../../tests/fixtures/papers/scan.pdf");
const WORD: &[u8] = include_bytes!("../../../../tests/fixtures/papers/word.docx");

const JA: &str = "東京の30歳から45歳の世帯には、医療費を1,000万円まで補償する家族向けの商品が合う。\
                  保険料は月1万5千円である。";

fn read(kind: PaperKind, bytes: &[u8]) -> Paper {
    Paper::read(kind, "fixture", bytes.to_vec(), None).unwrap()
}

/// Ideographs and what stands between them, without the spaces that fonts make of kerning.
fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn table() -> Vec<Vec<String>> {
    let rows = [
        ["Banco", "ROE (%)", "Mora (%)"],
        ["CaixaBank", "8,3", "2,7"],
        ["BBVA", "15,1", "3,4"],
        ["Sabadell", "6,0", "3,6"],
    ];
    rows.map(|row| row.map(String::from).to_vec()).to_vec()
}

#[test]
fn a_pdf_of_a_browser_has_headings_text_table_and_pages() {
    let paper = read(PaperKind::Pdf, BROWSER);
    let numbers: Vec<_> = paper.pages.iter().map(|page| page.number).collect();
    assert_eq!(numbers, [Some(1), Some(2)]);
    let [heading, text, found] = paper.pages[0].blocks.as_slice() else {
        panic!("{:?}", paper.pages[0]);
    };
    assert_eq!(*heading, Block::Heading("Informe anual".into()));
    assert_eq!(
        *text,
        Block::Paragraph(
            "El resultado del ejercicio mejoró por el margen de intereses. La morosidad bajó en \
             todas las entidades, y los costes crecieron menos que los ingresos durante el año."
                .into()
        )
    );
    assert_eq!(*found, Block::Table(table()));
    let [heading, text] = paper.pages[1].blocks.as_slice() else {
        panic!("{:?}", paper.pages[1]);
    };
    assert_eq!(*heading, Block::Heading("保険商品".into()));
    assert_eq!(bare(&text.text()), bare(JA));
}

#[test]
fn two_columns_in_fonts_of_the_reader() {
    let paper = read(PaperKind::Pdf, TWO_COLUMNS);
    let texts: Vec<String> = paper.pages[0].blocks.iter().map(Block::text).collect();
    assert_eq!(
        texts,
        [
            "Credit risk policy",
            "The probability of default is estimated from at least five years of observed default \
             rates, as the guidelines ask; shorter histories need a margin of conservatism.",
            "Loss given default follows the workout method with discounted recoveries and includes \
             direct and indirect costs; downturn conditions are reflected separately.",
        ]
    );
}

#[test]
fn pictures_of_pages_are_refused_and_say_what_helps() {
    let error = Paper::read(PaperKind::Pdf, "scan.pdf", SCAN.to_vec(), None).unwrap_err();
    assert!(error.to_string().contains("OCR"), "{error}");
}

#[test]
fn japanese_without_its_font_is_read() {
    let paper = read(PaperKind::Pdf, CID);
    assert_eq!(bare(&paper.pages[0].blocks[0].text()), "医療保険の対象者");
}

/// A page with `codes` in a font of Adobe's Japanese collection that is not in the file.
fn page_in_japanese(encoding: &str, codes: &[u8]) -> Vec<u8> {
    let codes: String = codes.iter().map(|byte| format!("{byte:02x}")).collect();
    let content = format!("BT /F 12 Tf 60 700 Td <{codes}> Tj ET");
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</Font<</F 4 0 R>>>>\
         /Contents 6 0 R>>"
            .to_owned(),
        format!(
            "<</Type/Font/Subtype/Type0/BaseFont/Ryumin-Light/Encoding/{encoding}\
             /DescendantFonts[5 0 R]>>"
        ),
        "<</Type/Font/Subtype/CIDFontType0/BaseFont/Ryumin-Light/CIDSystemInfo\
         <</Registry(Adobe)/Ordering(Japan1)/Supplement 2>>/DW 1000/FontDescriptor\
         <</Type/FontDescriptor/FontName/Ryumin-Light/Flags 6/FontBBox[0 -200 1000 900]\
         /ItalicAngle 0/Ascent 900/Descent -200/CapHeight 700/StemV 80>>>>"
            .to_owned(),
        format!("<</Length {}>>stream\n{content}\nendstream", content.len()),
    ];
    let mut pdf = String::from("%PDF-1.4\n");
    let mut table = String::from("0000000000 65535 f \n");
    for (i, object) in objects.iter().enumerate() {
        table += &format!("{:010} 00000 n \n", pdf.len());
        pdf += &format!("{} 0 obj\n{object}\nendobj\n", i + 1);
    }
    let n = objects.len() + 1;
    let start = pdf.len();
    pdf += &format!(
        "xref\n0 {n}\n{table}trailer<</Size {n}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n"
    );
    pdf.into_bytes()
}

#[test]
fn japanese_is_read_in_every_encoding_that_files_are_written_in() {
    const TEXT: &str = "医療保険とROE";
    let utf_16: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let shift_jis = encoding_rs::SHIFT_JIS.encode(TEXT).0;
    let euc = encoding_rs::EUC_JP.encode(TEXT).0;
    for (encoding, codes) in [
        ("90ms-RKSJ-H", &shift_jis[..]),
        ("90msp-RKSJ-H", &shift_jis[..]),
        ("EUC-H", &euc[..]),
        ("UniJIS-UCS2-H", &utf_16[..]),
        ("UniJIS-UTF16-H", &utf_16[..]),
    ] {
        let paper = Paper::read(
            PaperKind::Pdf,
            encoding,
            page_in_japanese(encoding, codes),
            None,
        );
        let paper = paper.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(bare(&paper.pages[0].blocks[0].text()), TEXT, "{encoding}");
    }
    // Numbers of the collection, as they are.
    let paper = page_in_japanese("Identity-H", &[0x04, 0xb0, 0x06, 0x6e]);
    let paper = read(PaperKind::Pdf, &paper);
    assert_eq!(bare(&paper.pages[0].blocks[0].text()), "一虐");
}

#[test]
fn a_word_document_has_headings_table_and_pages() {
    let paper = read(PaperKind::Docx, WORD);
    assert_eq!(
        paper.pages[0].blocks,
        [
            Block::Heading("Metodología de LGD".into()),
            Block::Paragraph(
                "La LGD se estima con recuperaciones descontadas. Los costes indirectos cuentan."
                    .into()
            ),
            Block::Table(table()),
        ]
    );
    assert_eq!(paper.pages[1].number, Some(2));
    assert_eq!(
        paper.pages[1].blocks,
        [Block::Heading("対象".into()), Block::Paragraph(JA.into())]
    );
}

/// Whatever is cut off or flipped, the answer is an error or a document, never a panic.
#[test]
fn damaged_documents_do_not_panic() {
    let mut rng = crate::rng::Rng::new(5, 0);
    for (kind, whole) in [
        (PaperKind::Pdf, BROWSER),
        (PaperKind::Pdf, TWO_COLUMNS),
        (PaperKind::Pdf, CID),
        (PaperKind::Docx, WORD),
    ] {
        for _ in 0..12 {
            let mut bytes = whole.to_vec();
            bytes.truncate(rng.below(whole.len()));
            drop(Paper::read(kind, "cut", bytes, None));
            let mut bytes = whole.to_vec();
            for _ in 0..8 {
                let at = rng.below(whole.len());
                bytes[at] ^= 1 << rng.below(8);
            }
            drop(Paper::read(kind, "flipped", bytes, None));
        }
    }
}
