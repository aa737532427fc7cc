-- Up to where the requests of live receivers, which lie in the spool beside the store, are rows. One row.
CREATE TABLE raw_spool (segment UBIGINT NOT NULL, "offset" UBIGINT NOT NULL);
