//! Short texts about data as codes with values, so that every screen says them in its own language.
//!
//! English is written here and nowhere else: the command line prints it, and project files hold it.
//! [`Said::read`] takes a text of a project file apart again, whichever version wrote it.
//!
//! A value may be a phrase itself, such as what was expected in a finding of an export.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! phrases {
    ($($name:ident $english:literal;)*) => {
        /// What is said, with places `{0}`, `{1}`, … for values.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Phrase {
            $($name,)*
        }

        impl Phrase {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            pub const fn english(self) -> &'static str {
                match self {
                    $(Self::$name => $english,)*
                }
            }

            /// In English, with its values.
            pub fn with<const N: usize>(self, values: [&dyn fmt::Display; N]) -> String {
                filled(self.english(), &values.map(ToString::to_string))
            }
        }
    };
}

phrases! {
    // What was found in a record.
    NoText "no text at all";
    Nothing "nothing";
    None "none";
    Null "null";
    TheText "the text {0}";
    TheBoolean "the boolean {0}";
    TheNumber "the number {0}";
    ListOf "a list of {0}";
    ObjectWith "an object with {0}";
    OneMessage "{0} message";
    Messages "{0} messages";
    WeightZero "weight 0 everywhere";
    SystemMessage "a system message";
    RoleAfterRole "{0} after {1}";
    EmptyList "an empty list";
    NoTarget "no token to learn";
    LabelWhereId "{0} where the id is {1}";
    PartOfType "a part of type {0}";
    ZerosBeforeEnd "zeros before the end";
    Labels "{0} labels";
    Entries "{0} entries";
    Media "media";
    BesideTheRecords "beside the records";
    SidesWhileFrozen "the split is frozen: records that name a side came on none ({0}), and the column stays beside their text; where these sides are to count, undo the import, thaw the split and import again";
    SameFileBefore "the same file was imported before, so that its records are in the project twice; undo one of the imports, or let the check find what is double";
    ListBesideRecords "a list of {0}, beside the records that were read";
    ShortRow "{0} row without its last cells, which are read as empty";
    ShortRows "{0} rows without their last cells, which are read as empty";
    QuoteOverLines "a cell whose quote opens in line {0} and closes in line {1}, with text after it";
    LooseQuote "{0} cell with text after its closing quote";
    LooseQuotes "{0} cells with text after their closing quote";
    BehindQuote "a separator after a closing quote";
    Twice "twice";
    Formula "{0} formula without a result";
    Formulas "{0} formulas without a result";
    TextOfOneBefore "the text of {0} record before it";
    TextOfBefore "the text of {0} records before it";
    QuestionOfOneBefore "the question of {0} record before it";
    QuestionOfBefore "the question of {0} records before it";
    AskedInTraining "asked in training too: {0}";
    Tokens "{0} tokens";
    Characters "{0} characters";
    ControlTokenInMessage "a message holds the control token `{0}`, which would end or forge a turn";
    TemplateRejects "the chat template rejects the conversation: {0}";
    AllBehindLimit "the record has {0} tokens, and all {1} trained ones lie beyond the limit of {2}";
    NoTokenTrained "no token of the record is trained";
    NoTemplate "the model has no chat template, but the record is a conversation; choose one by name ({0})";
    TemplateFails "the chat template fails on the conversation: {0}";
    TemplateHidesAnswers "the chat template does not show which text belongs to the assistant in message {0}; add {% generation %} tags to it or train on all text";
    MessageLeftOut "message {0} ({1}) is not in the text that the model sees: the chat template passes over it";
    EndNeverTrained "no example trains the token that ends generation, so the tuned model would not stop: expected {0}, the last trained token here is {1}";
    IdOutOfVocabulary "token {0} of the record has id {1}, the vocabulary has {2} entries; was it made with another tokenizer?";
    EndsMasked "every end token of the record is masked (label -100) although the text before it is trained; the pad token is the end token, and the tool that made the labels masked both";
    // What was expected in a record.
    QuestionAndAnswer "a question and its answer";
    SomeText "text";
    ZeroOrOne "0 or 1";
    AssistantMessage "an assistant message to learn";
    AnswerToLearn "an answer to learn";
    TrainedMessage "a message that is trained";
    OnlyAtTheStart "it only at the start";
    RolesInTurns "roles that take turns";
    CompletionToLearn "a completion to learn";
    TokenIds "token ids";
    LabelThatIsId "a label that is a token id";
    IdOrIgnored "the id or -100";
    TextWithoutTokens "text without a template's tokens";
    ReadableText "readable text";
    PrintableText "printable text";
    ListOfMessages "a list of messages";
    RoleAndContent "an object with `role` and `content`";
    KnownRole "system, user, assistant or tool";
    KnownFrom "system, human, gpt, function_call or observation";
    NameOfRole "the name of a role";
    ListOfCalls "a list of calls";
    AnObject "an object";
    CallInJson "a tool call in JSON";
    TextAlone "text alone";
    PaddingAtEnd "padding at the end only";
    TokenId "a token id, 0 or more";
    AsManyAsIds "{0}, as many as `input_ids`";
    TokenIdOrIgnored "a token id or -100";
    ListOfWholeNumbers "a list of whole numbers";
    WholeNumber "a whole number";
    ListOfPairs "a list of [question, answer]";
    ListOfTools "a list of tools, or the same as JSON text";
    AsMostOfFile "{0}, as most of the file";
    ReadableTypes "text, numbers, dates, lists or structs";
    FormulaResults "results; open the file in Excel or LibreOffice once and save it";
    ItOnce "it once";
    EachOnce "each once";
    OneAnswer "one answer";
    AtMost "at most {0}";
    // What a part of an import was recognised by.
    FormatBy "{0}: {1}";
    FormatIn "{0}, {1}: {2}";
    FormatInWritten "{0}, {1}, {2}: {3}";
    OnlyRecordHas "the only record has {0}";
    AllRecordsHave "all {0} records have {1}";
    FirstRecordsHave "the first {0} records have {1}";
    OfFirstRecordsHave "of the first {0} records, {1} have {2}";
    HeaderHas "the header has {0}";
    AsGiven "as given";
    HiddenSheet "a hidden sheet; {0}";
    ByTemplates "a table of {0} columns without a question and its answer; templates make the records, and the answers are still to be written";
    JsonLines "JSON Lines";
    JsonArray "JSON array";
    JsonObjects "JSON objects, one after the other";
    JsonUnder "JSON array under `{0}`";
    TableByTabs "table, tab-separated";
    TableBy "table, separated by `{0}`";
    TableOfColumns "table of {0} columns";
    // Why a file cannot be read.
    FileUnreadable "`{0}` cannot be read: {1}";
    FileBroken "`{0}` is not a readable {1}: {2}";
    ZipArchive "ZIP archive";
    ParquetFile "Parquet file";
    SpreadsheetFile "spreadsheet";
    NoSheet "it has no sheet `{0}`";
    BookLocked "it is protected by a password; save it without one";
    FileTooLarge "`{0}` would unpack to {1} bytes, at most {2} are read; it may be a zip bomb (a file made to fill the memory)";
    FileWithoutText "`{0}` has no text: {1}";
    FileRefused "`{0}`: {1}";
    FileLeadsOut "`{0}` contains `{1}`, a path that leads out of the archive";
    OldOffice "is an old or protected Office file; save it as XLSX, DOCX or ODS without a password";
    GzipFile "is compressed with gzip; unpack it first";
    ZstdFile "is compressed with zstd; unpack it first";
    ArrowFile "is an Arrow file; write it as Parquet";
    DatabaseFile "is a database; open it as a project";
    NoKnownKind "holds no text and is of no known kind";
    MemberLocked "is protected by a password; unpack it first";
    MemberIsLink "is a link to another file; add that file itself";
    TooManyMembers "has {0} members, at most {1} are read; split the archive";
    PagesArePictures "its pages are pictures; have them read by a text recognition (OCR) program first";
    PicturesUnread "{0}; p. {1} not read: pictures without text; have them read by a text recognition (OCR) program first";
    LettersUnread "{0}; p. {1} not read in full: the file does not say which letters stand there; print it to PDF anew, or have it read by a text recognition (OCR) program";
    LettersUnknown "it does not say which letters it shows; print it to PDF anew from the program that made it, or have it read by a text recognition (OCR) program";
    ArchiveInArchive "is an archive inside an archive, which is not opened; unpack it first";
    IsEmpty "it is empty";
    SheetsEmpty "all of its sheets are empty";
    ArchiveEmpty "the archive has no files";
    PdfLocked "it is locked with a password; save a copy without one";
    PdfEncrypted "it is encrypted in a way that cannot be read; save a copy without encryption";
    PdfWithoutContents "its internal index makes no sense; it may be cut off";
    DatasetEmpty "the dataset is empty; expected at least one record";
    OnlyHeader "there is no record: the first row ({0}) counts as the header of a table, and no row is below it; `data import --header-rows 0` reads it as a record";
    UnknownFormat "no known dataset format: the first record (line {0}) has the fields {1}; expected one of: instruction + output, conversations, messages, prompt + completion, query + response, text, input_ids";
    UnknownFormatHint "no known dataset format: the first record (line {0}) has the fields {1}; expected one of: instruction + output, conversations, messages, prompt + completion, query + response, text, input_ids; {2}";
    UnknownColumns "no known dataset format: the table has the columns {0}; expected two that name a question and its answer; say which with `--map instruction=COLUMN,output=COLUMN`";
    UnknownColumnsHint "no known dataset format: the table has the columns {0}; expected two that name a question and its answer; say which with `--map instruction=COLUMN,output=COLUMN`; {1}";
    DidYouMean "did you mean `{0}` where it says `{1}`?";
    DidYouMeanBoth "did you mean `{0}` where it says `{1}`, and `{2}` where it says `{3}`?";
    UnmappedColumn "`--map {0}={1}`: the file has no column `{2}` (it has {3})";
    TemplateWithoutColumn "the template of `{0}` names the column `{1}`, which the table does not have (its columns are {2}; unless numbers are left as they stand, a unit such as “thousand” in a column's name is multiplied into its cells); write {{ and }} for braces that name no column";
    TemplateClosesNothing "the template of `{0}` has a `}` that closes nothing; write `}}` for a brace";
    TemplateNotClosed "the template of `{0}` has no `}` after `{{1}`";
    NothingReadable "no record could be read; the first problem: {0}";
    ListOfDatasets "this is LLaMA-Factory's list of datasets, not a dataset; give one of the files that it names ({0})";
    RowTooLarge "the row that starts at line {0} is larger than {1} MiB; probably a quote (\") is never closed, or this is not a table";
    // Why a split cannot be drawn.
    CannotSplit "cannot split: {0}";
    AllTogether "all {0} records belong together, so that none can be set aside";
    NoGroupForValidation "no group of records that belong together is small enough for a validation set of {0}; number of groups: {1}, the largest of {2}";
    NoGroupForTest "no group of records that belong together is small enough for a test set of {0}; number of groups: {1}, the largest of {2}";
    AllOnSides "every record is on a side already; there is nothing to split";
    NothingToSetAside "nothing to set aside; give validation or test a share or a count";
    NoneLeftToTrain "{0} for validation and {1} for test leave none of {2} records to train on";
    MoreThanOnNoSide "{0} for validation and {1} for test are more than the {2} records on no side";
    NothingToGroupBy "no record has `{0}` to group by; columns are {1}";
    NoColumnToGroupBy "no record has `{0}` to group by; there are no columns beside the text";
    NothingToStratifyBy "no record has `{0}` to stratify by; columns are {1}";
    NoColumnToStratifyBy "no record has `{0}` to stratify by; there are no columns beside the text";
    // What a format or a tool does not hold.
    LosesRecord "cannot be expressed there (left out)";
    LosesSystem "system prompts";
    LosesEarlierTurns "earlier messages of conversations";
    LosesEarlierAnswers "training on earlier answers";
    LosesLaterMessages "messages behind the last answer";
    LosesTools "tools and their schemas";
    LosesTextBesideCall "text in one message with a tool call (set apart)";
    LosesCallIds "ids of tool calls";
    LosesWeights "weights of messages";
    LosesNames "names of speakers";
    LosesMessageKeys "further keys of messages (reasoning, …)";
    LosesColumn "columns whose name is taken";
    LosesPlainText "plain text that becomes a chat";
    OpenAiTakesNot "`{0}` (OpenAI does not take it)";
    LlamaFactoryIrregular "conversations in which question and answer do not take turns (LLaMA-Factory leaves them out)";
    LlamaFactoryWeights "weights of messages (LLaMA-Factory trains every answer)";
    PairsAsExamples "pairs of a better and a worse answer (only the better one is trained; the other is not used)";
    AxolotlWeights "weights other than 0 and 1 (axolotl trains such an answer in full)";
    MarkedBad "answers marked as bad (they are left out and not trained)";
    AxolotlLast "training on the last answer alone (axolotl trains all answers)";
    TemplateNotCarried "the chosen template `{0}`, which that tool does not have (it takes the model's own)";
    TemplateDiffers "the chosen template `{0}`, of which that tool's own differs a little in these records";
    ColumnAsText "the column `{0}`, written as text because its values are of several types";
    ParquetTools "tools or calls; those of unlike shapes stand as JSON text, which is to be parsed before a chat template takes it";
    TagsStay "tags and reviewers (working notes, which stay in the project)";
    SidesStay "sides (one file for all does not tell them; one for each side does)";
    // Why an export is not written.
    NoRecordToWrite "there is no record to write; choose other sides or another list";
    NoTrainSide "no record is on the training side; split again";
    TrainSideNotChosen "what is trained is the training side, which is not among the chosen sides; choose it too";
    NoTrainRecordFits "no record of the training side can be written; mend what is left out of it, split again, or choose another format";
    HeldOutTrained "records of validation and test in the one file that is trained on: {0}; write one file for each side, or the training side alone";
    NothingFits "none of the records can be written in the format `{0}`; choose another one";
    OnNoSide "records on no side, which are left out: {0}; split again, or write one file";
    WithErrors "records with errors, which cannot be trained on as they are: {0}; settle them first";
    Leaking "records of validation and test that ask what a training record asks: {0}; split again";
    GroupsApart "groups of records that belong together, on more than one side: {0}; split again";
    FrozenSplitChanged "records were changed after the split was frozen; undo that, or freeze it again";
    // What cannot be done.
    SplitIsFrozen "the split is frozen, so that results stay comparable; thaw it to change sides";
    NoSideToFreeze "no record is on a side yet; split the records before freezing the split";
    FrozenIsOld "the split is frozen already, and records were changed since; undo that, or thaw it before freezing it again";
    SnapshotUnnamed "a snapshot needs a name";
    SnapshotThere "there is a snapshot `{0}` already; choose another name, or delete that one";
    SnapshotGone "snapshot {0} is gone; choose another one";
    StillGoingOn "an import or a change is still going on; wait for it or stop it first";
    DoneSince "something else was changed since; take it back from the latest on, in the history";
    NothingToReplace "there is nothing to look for; write what is to be replaced";
    NoSuchGroup "the regular expression has no group `{0}`; put that part of it in brackets, write a name in braces (`${y1}`) where text follows it, or `$$` for a dollar sign";
    RegexTooLarge "the regular expression is too large; correct it, or search for the exact text";
    RegexWrongAt "the regular expression is wrong at character {0}, near `{1}`: {2}; correct it, or search for the exact text";
    RegexWrong "the regular expression is wrong: {0}; correct it, or search for the exact text";
    NoTokenizerAmong "there is no tokenizer among the files ({0}); choose the model's `tokenizer.json` with the files beside it, or a GGUF file";
    TokenizerTooLarge "the files of the tokenizer have {0} bytes together, at most {1} are kept; leave out the weights";
    NoTokenizerChosen "no tokenizer is chosen; choose the model that the dataset is for";
    FormatLoses "the format `{0}` cannot hold everything; choose another one, or allow what is lost";
    TokensUnreadable "{0} of {1} records are token ids, which {2} cannot read; export them in the format `tokenized`, or leave them out";
    OpenAiRecord "record {0}, `{1}`: found {2}, expected {3}; {4}";
    OpenAiFile "the file: found {0}, expected {1}; {2}";
    OpenAiRecordOf "`{0}`, record {1}, `{2}`: found {3}, expected {4}; {5}";
    OpenAiFileOf "`{0}`: found {1}, expected {2}; {3}";
    // What OpenAI's limits say was found.
    Examples "{0} examples";
    Bytes "{0} bytes";
    NoKey "no `{0}`";
    WeightOnRole "{0} on a message of `{1}`";
    ZeroOnEveryAnswer "0 on every answer";
    TruthValue "a truth value";
    ANumber "a number";
    AText "a text";
    AList "a list";
    // What OpenAI expects.
    AtLeastTen "at least 10";
    AtMost512Mb "at most 512 MB";
    MessagesNotEmpty "a list `messages` that is not empty";
    KeysRoleContent "the keys `role` and `content`";
    OpenAiKeys "role, content, name, weight, tool_calls, tool_call_id";
    TextNotEmpty "a text that is not empty";
    OneOfAssistant "at least one message of the assistant";
    OneOfUser "a message of the user";
    AssistantAtEnd "a message of the assistant at the end";
    WeightOnAssistant "0 or 1, on messages of the assistant";
    WeightNotZero "an answer whose weight is not 0";
    NameLetters "up to 64 letters, digits, `_` and `-`";
    ToolShape "{\"type\": \"function\", \"function\": {\"name\": …}}";
    CallShape "an `id` and a function with `name` and `arguments` as JSON text";
    IdOfCall "the `id` of an earlier call of the assistant";
    AtMostTokens "at most 65,536 tokens (fewer for some models)";
    // What to do about OpenAI's limits.
    AddExamples "add examples; OpenAI advises 50 to 100 to begin with";
    ExportFewer "export fewer records";
    GiveQuestionAndAnswer "give the record a question and an answer, or leave it out";
    WriteAsObject "write the message as such an object";
    AddMissing "add what is missing";
    TakeKeyAway "take the key away";
    RenameRole "rename the role";
    WriteTextOrTakeAway "write the text, or take the message away";
    AddAnswer "add the answer that the model should give";
    AddQuestion "add the question, unless the model should speak first";
    TakeAwayAfterAnswer "take away what follows the last answer";
    SetWeight "take the weight away, or set it to 0 or 1";
    WeighOneAnswer "set the weight of one answer to 1, or leave the record out";
    RenameIt "rename it";
    CorrectTool "correct the tool's definition";
    CorrectCall "correct the call";
    GiveIdOfCall "give the result the id of its call";
    Shorten "shorten it, or split the conversation";
}

/// A phrase with its values, or a text that is no phrase: a quote, a name, what a library said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    Phrase(Phrase, Vec<String>),
    Text(String),
}

impl Said {
    pub fn new<const N: usize>(phrase: Phrase, values: [String; N]) -> Self {
        Self::Phrase(phrase, values.into())
    }

    /// Take an English text apart.
    pub fn read(text: &str) -> Self {
        let exactly = Phrase::ALL.iter().find(|phrase| phrase.english() == text);
        if let Some(phrase) = exactly {
            return Self::Phrase(*phrase, Vec::new());
        }
        // A quote may say anything.
        let read = Phrase::ALL.iter().filter(|_| !text.starts_with('"'));
        let read = read.filter_map(|phrase| {
            let values = values_in(text, phrase.english())?;
            let n_values: usize = values.iter().map(String::len).sum();
            (!values.is_empty()).then_some((n_values, *phrase, values))
        });
        // The one that says the most itself.
        let read = read.min_by_key(|(n_values, ..)| *n_values);
        read.map_or_else(
            || Self::Text(text.to_owned()),
            |(_, phrase, values)| Self::Phrase(phrase, values),
        )
    }

    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phrase(phrase, values) => f.write_str(&filled(phrase.english(), values)),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A text with its values in their places.
pub fn filled(template: &str, values: &[String]) -> String {
    let mut text = String::with_capacity(template.len());
    for piece in pieces(template) {
        match piece {
            Piece::Own(own) => text += own,
            Piece::Value(i) => text += values.get(i).map_or("", String::as_str),
        }
    }
    text
}

/// Of a text that was made with `template`, the values in their order.
fn values_in(text: &str, template: &str) -> Option<Vec<String>> {
    let (mut rest, mut values, mut is_open) = (text, Vec::new(), false);
    for piece in pieces(template) {
        match piece {
            Piece::Value(_) => is_open = true,
            Piece::Own(own) if is_open => {
                let (value, after) = rest.split_once(own)?;
                values.push(value.to_owned());
                (rest, is_open) = (after, false);
            }
            Piece::Own(own) => rest = rest.strip_prefix(own)?,
        }
    }
    if is_open {
        values.push(std::mem::take(&mut rest).to_owned());
    }
    // What begins with a value has counts and names, and little text of its own to be known by.
    let are_words = template.starts_with("{0}");
    let fits = |value: &String| !value.is_empty() && (!are_words || !value.contains(' '));
    (rest.is_empty() && values.iter().all(fits)).then_some(values)
}

enum Piece<'a> {
    Own(&'a str),
    Value(usize),
}

/// What stands between the places of a template, and which value each place takes.
fn pieces(template: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut rest, mut from) = (Vec::new(), template, 0);
    while let Some(at) = rest[from..].find('{').map(|at| at + from) {
        let place = rest.as_bytes().get(at + 1..at + 3);
        match place {
            Some([digit @ b'0'..=b'9', b'}']) => {
                if at > 0 {
                    pieces.push(Piece::Own(&rest[..at]));
                }
                pieces.push(Piece::Value(usize::from(digit - b'0')));
                (rest, from) = (&rest[at + 3..], 0);
            }
            // A brace of the text itself.
            _ => from = at + 1,
        }
    }
    if !rest.is_empty() {
        pieces.push(Piece::Own(rest));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n_values(phrase: Phrase) -> usize {
        let places = pieces(phrase.english());
        places
            .iter()
            .filter(|piece| matches!(piece, Piece::Value(_)))
            .count()
    }

    #[test]
    fn what_was_said_is_read_again() {
        for phrase in Phrase::ALL {
            let values = (0..n_values(*phrase)).map(|i| (i + 7).to_string());
            let said = Said::Phrase(*phrase, values.collect());
            assert_eq!(Said::read(&said.to_string()), said, "{said}");
        }
    }

    #[test]
    fn values_stand_in_their_order() {
        for phrase in Phrase::ALL {
            let places = pieces(phrase.english());
            let values = places.iter().filter_map(|piece| match piece {
                Piece::Value(i) => Some(*i),
                Piece::Own(_) => None,
            });
            assert!(values.eq(0..n_values(*phrase)), "{phrase:?}");
        }
    }

    #[test]
    fn a_text_that_is_no_phrase_stays_itself() {
        for text in [
            "",
            "\"\"",
            "\"user after user\"",
            "<|im_end|>",
            "a sentence of another version",
            "what comes after it is cut off",
            "{0}",
        ] {
            let said = Said::read(text);
            assert_eq!(
                (said.clone(), said.to_string()),
                (Said::Text(text.into()), text.into())
            );
        }
        assert!(Said::read("").is_empty());
        assert_eq!(
            Said::read("user after user"),
            Said::new(Phrase::RoleAfterRole, ["user".into(), "user".into()])
        );
    }
}
