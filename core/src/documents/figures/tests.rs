//! Figures of small tables under each reading.

use super::*;

fn cells(text: &str) -> Vec<String> {
    text.split(';').map(String::from).collect()
}

/// Names and rows under a reading, and the reading that is suggested.
fn read(
    note: &str,
    names: &str,
    rows: &[&str],
    with_units: bool,
) -> (String, Vec<String>, Numbers) {
    let notes = [cells(note)];
    let names = cells(names);
    let rows: Vec<Vec<String>> = rows.iter().map(|row| cells(row)).collect();
    let sample = Sample {
        notes: &notes,
        names: &names,
        rows: rows.iter().map(Vec::as_slice).collect(),
        by_semicolons: false,
    };
    let figures = Figures::new(&sample, with_units);
    let rewritten = rows.iter().map(|row| {
        let mut row = row.clone();
        figures.apply(&mut row);
        row.join(";")
    });
    (
        figures.names().join(";"),
        rewritten.collect(),
        figures.suggested(&sample),
    )
}

#[test]
fn plain_numbers_lose_separators_and_signs_of_nothing() {
    let rows = [
        "01000;北海道;5,224,614;X",
        "13362;利島村;３２７;-",
        "13000;東京都;14,047,594;5",
    ];
    let (names, rows, suggested) = read("", "コード;地域;人口;世帯", &rows, false);
    assert_eq!(names, "コード;地域;人口;世帯");
    assert_eq!(
        rows,
        [
            "01000;北海道;5224614;",
            "13362;利島村;327;",
            "13000;東京都;14047594;5"
        ]
    );
    assert_eq!(suggested, Numbers::Plain);
}

#[test]
fn units_of_names_go_into_the_cells() {
    let rows = ["A;1.797.062,5;15,1;212.764", "B;607.167;n.d.;-"];
    let names = "Entidad;Activo (millones de euros);ROE (%);Empleados";
    let (names, rows, suggested) = read("(en miles de euros)", names, &rows, true);
    assert_eq!(names, "Entidad;Activo (euros);ROE (%);Empleados");
    assert_eq!(rows, ["A;1797062500000;15.1;212764", "B;607167000000;;"]);
    assert_eq!(suggested, Numbers::WithUnits);
}

#[test]
fn a_note_holds_where_cells_show_it() {
    let rows = ["x;913;3,850", "y;1012;6,000千円"];
    let (names, rows, _) = read("（単位：千円）", "a;人口（千人）;所得", &rows, true);
    assert_eq!(names, "a;人口（人）;所得 (円)");
    assert_eq!(rows, ["x;913000;3850000", "y;1012000;6000000"]);
}

#[test]
fn a_note_holds_for_a_table_without_other_units() {
    let (names, rows, _) = read("単位：千人", "a;人口;割合", &["x;10;5", "y;20;6"], true);
    assert_eq!(names, "a;人口 (人);割合");
    assert_eq!(rows, ["x;10000;5", "y;20000;6"]);
}

#[test]
fn a_note_holds_beside_columns_with_units_of_their_own() {
    let rows = ["北海道;5,225;4.1;913", "青森県;1,238;1.0;250"];
    let names = "都道府県;総人口;割合（％）;所得（百万円）";
    let (names, rows, suggested) = read("（単位：千人）", names, &rows, true);
    assert_eq!(names, "都道府県;総人口 (人);割合（％）;所得（円）");
    assert_eq!(
        rows,
        [
            "北海道;5225000;4.1;913000000",
            "青森県;1238000;1.0;250000000"
        ]
    );
    assert_eq!(suggested, Numbers::WithUnits);
}

#[test]
fn a_note_of_several_units_holds_where_it_is_clear() {
    let read = |note, names| read(note, names, &["x;5,225;4.1", "y;1,238;1.0"], true).0;
    assert_eq!(
        read("（単位：千人、％）", "a;人口;構成比"),
        "a;人口 (人);構成比"
    );
    assert_eq!(
        read("（単位：千人、％）", "a;人口;第二"),
        "a;人口 (単位：千人、％);第二 (単位：千人、％)"
    );
    assert_eq!(
        read("単位：千人，千円", "a;人口;1月"),
        "a;人口 (人);1月 (単位：千人，千円)"
    );
}

#[test]
fn an_unclear_note_leaves_the_figures() {
    let rows = ["x;10;2015", "y;20;2016"];
    let (names, rows, suggested) = read("（単位：千トン、隻数）", "a;第1;年", &rows, true);
    assert_eq!(names, "a;第1 (単位：千トン、隻数);年");
    assert_eq!(rows, ["x;10;2015", "y;20;2016"]);
    assert_eq!(suggested, Numbers::WithUnits);
}

#[test]
fn a_note_passes_over_cells_that_say_more() {
    let rows = ["x;10;45歳;2015", "y;20;30歳;2016"];
    let (names, rows, _) = read("（単位：千人）", "a;2020年;b;年", &rows, true);
    assert_eq!(names, "a;2020年 (人);b (歳);年");
    assert_eq!(rows, ["x;10000;45;2015", "y;20000;30;2016"]);
}

#[test]
fn a_column_of_units_holds_for_its_row() {
    let rows = ["人口;千人;12", "面積;km2;5,000", "所得;百万円;1.5"];
    let (names, rows, suggested) = read("", "項目;単位;値", &rows, true);
    assert_eq!(names, "項目;単位;値");
    assert_eq!(rows, ["人口;人;12000", "面積;km2;5000", "所得;円;1500000"]);
    assert_eq!(suggested, Numbers::WithUnits);
}

#[test]
fn what_all_cells_count_is_named_once() {
    let (names, rows, _) = read("", "a;age;n", &["x;45歳;1人", "y;30歳;2件"], true);
    assert_eq!(names, "a;age (歳);n");
    assert_eq!(rows, ["x;45;1人", "y;30;2件"]);
}

#[test]
fn text_columns_are_left_alone() {
    let (_, rows, suggested) = read("", "a;b", &["X;-", "Y;1"], false);
    assert_eq!(rows[0], "X;");
    assert_eq!(suggested, Numbers::Plain);
    let (_, rows, suggested) = read("", "a;b", &["X;1", "Y;2"], true);
    assert_eq!(rows, ["X;1", "Y;2"]);
    assert_eq!(suggested, Numbers::AsTheyStand);
}

#[test]
fn the_unit_of_a_row_is_for_its_value() {
    let rows = ["2020;100;30;thousand EUR;6,298", "2021;101;45;EUR;6,300"];
    let names = "Year;Series ID;Age;Unit;Value";
    let (_, read_rows, suggested) = read("", names, &rows, true);
    assert_eq!(
        read_rows,
        ["2020;100;30;EUR;6298000", "2021;101;45;EUR;6300"]
    );
    assert_eq!(suggested, Numbers::WithUnits);
    let (_, read_rows, _) = read("", "Year;Series ID;Age;Unit;Ingresos", &rows, true);
    assert_eq!(
        read_rows[0], "2020;100;30;EUR;6298000",
        "the only one that counts"
    );
    let (_, rows, suggested) = read("", "Jahr;Series ID;Age;Unit;Min", &rows, true);
    assert_eq!(rows[0], "2020;100;30;thousand EUR;6298", "one of two");
    assert_eq!(suggested, Numbers::Plain);
}

#[test]
fn the_unit_of_a_row_is_for_all_of_its_years() {
    let rows = ["人口;千人;1,950;2,000", "所得;百万円;3;4"];
    let (_, rows, _) = read("", "項目;単位;2015年;2020年", &rows, true);
    assert_eq!(rows, ["人口;人;1950000;2000000", "所得;円;3000000;4000000"]);
    let (_, rows, _) = read("", "項目;単位;Periodo", &["人口;千人;2020"], true);
    assert_eq!(rows, ["人口;千人;2020"]);
}

#[test]
fn a_value_that_cannot_be_read_keeps_its_unit() {
    let rows = ["a;千人;12", "b;千人;13", "c;千人;約 14", "d;千人;-"];
    let (_, rows, _) = read("", "項目;単位;値", &rows, true);
    assert_eq!(rows, ["a;人;12000", "b;人;13000", "c;千人;約 14", "d;人;"]);
}

#[test]
fn currencies_stay() {
    let rows = ["A;$1,980;¥1,980;5", "B;€2,000;3,000円;-$1.5 million"];
    let (names, read_rows, suggested) = read("", "Fund;Fee;月額;Flow", &rows, false);
    assert_eq!(names, "Fund;Fee;月額;Flow");
    assert_eq!(
        read_rows,
        ["A;$1980;¥1980;5", "B;€2000;3000円;-$1.5 million"]
    );
    assert_eq!(suggested, Numbers::WithUnits);
    let (_, read_rows, _) = read("", "Fund;Fee;月額;Flow", &rows, true);
    assert_eq!(read_rows, ["A;$1980;¥1980;5", "B;€2000;3000円;-$1500000"]);
}

#[test]
fn a_currency_of_all_cells_is_named_once() {
    let (names, rows, _) = read("", "a;Fee", &["x;$1,980", "y;$5 million"], true);
    assert_eq!(names, "a;Fee ($)");
    assert_eq!(rows, ["x;1980", "y;5000000"]);
    let rows = ["x;$1.5", "y;$2"];
    let (names, rows, _) = read("", "a;Size (USD million)", &rows, true);
    assert_eq!(names, "a;Size (USD)");
    assert_eq!(rows, ["x;$1500000", "y;$2000000"]);
    let (names, rows, _) = read("(in thousands, percent)", "a;b", &["x;$15", "y;$20"], true);
    assert_eq!(names, "a;b (in thousands, percent)");
    assert_eq!(rows, ["x;$15", "y;$20"]);
}

#[test]
fn brackets_are_negative_among_other_figures() {
    let read = |cells: &[&str]| {
        let rows: Vec<String> = cells.iter().map(|cell| format!("a;{cell}")).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        read("", "x;y", &rows, false).1.join("|").replace("a;", "")
    };
    assert_eq!(read(&["1,200", "(1,100)", "(35)"]), "1200|-1100|-35");
    assert_eq!(
        read(&["12,345", "9,876", "5,000", "(1)", "(1)"]),
        "12345|9876|5000|(1)|(1)"
    );
    assert_eq!(
        read(&["2019", "2020", "2021", "(2022)", "(2023)"]),
        "2019|2020|2021|(2022)|(2023)"
    );
    assert_eq!(read(&["(1,234,567)", "2,345,678"]), "-1234567|2345678");
    assert_eq!(read(&["(1)", "x", "…", "-"]), "(1)|x|…|-");
    assert_eq!(read(&["x", "x", "1"]), "x|x|1");
}

#[test]
fn separators_that_contradict_each_other_stay() {
    let rows = ["x;1,000;2,000", "y;1,5;3,000"];
    let (_, rows, _) = read("", "a;b;c", &rows, false);
    assert_eq!(rows, ["x;1,000;2000", "y;1,5;3000"]);
    let rows = ["x;1.000;2,5;3,5", "y;1.5;3,5;1,5"];
    let (_, rows, _) = read("", "a;b;c;d", &rows, false);
    assert_eq!(rows, ["x;1.000;2.5;3.5", "y;1.5;3.5;1.5"]);
}

#[test]
fn rates_and_distances_are_not_multiplied() {
    let names = "City;Distance (miles);Deaths (per thousand);Cases (per million);Thickness (mil)";
    let (read_names, rows, suggested) = read("", names, &["A;12;3.5;120;3", "B;5;4;130;4"], true);
    assert_eq!(read_names, names);
    assert_eq!(rows, ["A;12;3.5;120;3", "B;5;4;130;4"]);
    assert_eq!(suggested, Numbers::AsTheyStand);
    let names = "Provincia;Tasa (por mil);Ocupados (miles);Mil (mil euros)";
    let (read_names, rows, _) = read("", names, &["A;3,5;12,5;3", "B;4,5;13;4"], true);
    assert_eq!(read_names, "Provincia;Tasa (por mil);Ocupados;Mil (euros)");
    assert_eq!(rows, ["A;3.5;12500;3000", "B;4.5;13000;4000"]);
    let names = "地域;死亡数（人口千対）;医師（10万人当たり）";
    let (read_names, rows, _) = read("（単位：千人）", names, &["x;1,012.5;200"], true);
    assert_eq!((read_names.as_str(), &*rows[0]), (names, "x;1012.5;200"));
}

#[test]
fn cells_of_rates_and_distances_are_not_multiplied() {
    let (names, rows, _) = read("", "a;b;c", &["x;12 miles;3 per thousand"], true);
    assert_eq!(
        (names.as_str(), &*rows[0]),
        ("a;b (miles);c (per thousand)", "x;12;3")
    );
    let (names, rows, _) = read("", "Año;b", &["x;12 miles"], true);
    assert_eq!((names.as_str(), &*rows[0]), ("Año;b", "x;12000"));
}
