-- A dataset project: one SQLite file, the same in the browser and on the workstation.
--
-- Bodies are immutable: an edit makes a new body and points the record at it. So a change is always
-- a few small columns of `record` (or a `fact`), undo swaps them back, and everything that was
-- derived from a text (fingerprints, lengths, findings, the search index) is computed once.

-- What the file is; not part of the history.
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- Settings that belong to the history: plan and hash of the split, licences of sources.
CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;

-- Bytes that the project carries along: the files of tokenizer and template.
CREATE TABLE asset (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE source (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    format TEXT NOT NULL,
    -- How it was read, as JSON.
    reading TEXT NOT NULL,
    n_rejected INTEGER NOT NULL,
    at_ms INTEGER NOT NULL
);

-- The narrow part of a text: what lists are sorted and filtered by.
CREATE TABLE body (
    -- Never used again, as those of records and actions: checks remember how far they came.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    prompt_print BLOB NOT NULL,
    whole_print BLOB NOT NULL,
    n_chars INTEGER NOT NULL,
    n_turns INTEGER NOT NULL,
    -- One bit a role, in the order of `TurnRole::ALL`.
    roles INTEGER NOT NULL,
    language TEXT NOT NULL,
    n_errors INTEGER NOT NULL,
    n_warnings INTEGER NOT NULL,
    -- First characters, for lists.
    system TEXT NOT NULL,
    prompt TEXT NOT NULL,
    answer TEXT NOT NULL,
    -- Names of the columns beside the text, a `name_set`.
    fields INTEGER NOT NULL DEFAULT 0
);
-- In the order of the table and without its texts: lists read this once, whole.
CREATE INDEX body_narrow ON body (id, n_chars, n_turns, roles, language, fields, prompt_print, whole_print);

-- The wide part: the record as JSON.
CREATE TABLE content (body INTEGER PRIMARY KEY, json TEXT NOT NULL);

-- Sets of names, each stored once: tags, kinds of findings that were accepted, columns.
CREATE TABLE name_set (id INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE);
INSERT INTO name_set VALUES (0, '[]');

CREATE TABLE record (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- 0 there, 1 in the trash, 2 not there (an import under way, or its undoing).
    state INTEGER NOT NULL,
    position INTEGER NOT NULL,
    body INTEGER NOT NULL,
    side INTEGER,
    tags INTEGER NOT NULL DEFAULT 0,
    accepted INTEGER NOT NULL DEFAULT 0,
    reviewer TEXT NOT NULL DEFAULT '',
    -- What never changes.
    first_body INTEGER NOT NULL,
    source INTEGER,
    line INTEGER NOT NULL,
    page INTEGER
);
-- Without the state: what comes to the trash or out of it leaves the index as it is.
CREATE INDEX record_by_place ON record (position);
CREATE INDEX record_by_body ON record (body);

-- What checks found in a body. A check says with `checked` up to which body it came, under which
-- version and settings of its own.
CREATE TABLE finding (
    body INTEGER NOT NULL,
    "check" TEXT NOT NULL,
    kind TEXT NOT NULL,
    is_error INTEGER NOT NULL,
    field TEXT NOT NULL,
    found TEXT NOT NULL,
    expected TEXT NOT NULL,
    advice TEXT NOT NULL
);
CREATE INDEX finding_by_body ON finding (body, kind, is_error);
CREATE INDEX finding_by_kind ON finding (kind, body);
CREATE TABLE checked ("check" TEXT PRIMARY KEY, settings TEXT NOT NULL, up_to INTEGER NOT NULL) WITHOUT ROWID;

-- Groups of bodies that a check found to belong together; exact duplicates need none, their
-- fingerprints are the group.
CREATE TABLE member ("check" TEXT NOT NULL, grp INTEGER NOT NULL, body INTEGER NOT NULL, PRIMARY KEY ("check", grp, body)) WITHOUT ROWID;
CREATE INDEX member_by_body ON member (body);

-- Lengths under the chosen tokenizer and template.
CREATE TABLE token_count (
    body INTEGER PRIMARY KEY,
    n_tokens INTEGER NOT NULL,
    n_trained INTEGER NOT NULL,
    -- Whether the token that ends answers is trained, where the model has one.
    ends INTEGER NOT NULL
);

-- The journal. `change` holds the other values: what undoing an action, or doing it again, puts in
-- place. Swapping is therefore the same in both directions.
CREATE TABLE action (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL,
    n_records INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE change (
    action INTEGER NOT NULL,
    -- Name of a column of `record` that may change.
    field TEXT NOT NULL,
    -- Records and their values; see `project/runs.rs`.
    runs BLOB NOT NULL,
    PRIMARY KEY (action, field)
);
-- Values that are in force and come into `record` when nobody waits (`project/store.rs`), in the
-- order of their ids. Records up to `up_to` have theirs.
CREATE TABLE late (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    field TEXT NOT NULL,
    runs BLOB NOT NULL,
    up_to INTEGER NOT NULL
);
CREATE TABLE fact_change (action INTEGER NOT NULL, key TEXT NOT NULL, value TEXT, PRIMARY KEY (action, key)) WITHOUT ROWID;

CREATE TABLE snapshot (id INTEGER PRIMARY KEY, name TEXT NOT NULL, at_ms INTEGER NOT NULL);
CREATE TABLE snapshot_record (
    snapshot INTEGER NOT NULL,
    record INTEGER NOT NULL,
    state INTEGER NOT NULL,
    position INTEGER NOT NULL,
    body INTEGER NOT NULL,
    side INTEGER,
    tags INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    reviewer TEXT NOT NULL,
    PRIMARY KEY (snapshot, record)
) WITHOUT ROWID;
CREATE TABLE snapshot_fact (snapshot INTEGER NOT NULL, key TEXT NOT NULL, value TEXT, PRIMARY KEY (snapshot, key)) WITHOUT ROWID;

-- Full-text search over bodies, a column a role. Texts come in cut into words (`project/words.rs`), so
-- that Japanese and Chinese are found by any run of characters; the tokenizer only finds the spaces.
CREATE VIRTUAL TABLE search USING fts5 (system, developer, user, assistant, tool, content = '', contentless_delete = 1, tokenize = 'ascii');
-- Merging is done in steps of its own (`project/index.rs`).
INSERT INTO search (search, rank) VALUES ('automerge', 0);
