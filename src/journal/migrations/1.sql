CREATE TABLE runs (
    id        TEXT PRIMARY KEY,
    workflow  TEXT NOT NULL,
    region    TEXT NOT NULL,
    began_ms  BIGINT NOT NULL,
    ended_ms  BIGINT,
    place     TEXT NOT NULL,
    simulated BIGINT NOT NULL,
    epoch     BIGINT NOT NULL
);
CREATE TABLE records (
    run      TEXT NOT NULL REFERENCES runs (id),
    seq      BIGINT NOT NULL,
    at_ms    BIGINT NOT NULL,
    instance TEXT,
    body     TEXT NOT NULL,
    PRIMARY KEY (run, seq)
);
CREATE TABLE holds (
    scope    TEXT NOT NULL,
    instance TEXT NOT NULL,
    run      TEXT NOT NULL REFERENCES runs (id),
    PRIMARY KEY (scope, instance)
);
CREATE INDEX holds_by_run ON holds (run);
CREATE TABLE durations (
    simulated BIGINT NOT NULL,
    action    TEXT NOT NULL,
    family    TEXT NOT NULL,
    took_ms   BIGINT NOT NULL,
    at_ms     BIGINT NOT NULL
);
CREATE INDEX durations_newest ON durations (simulated, action, at_ms);
