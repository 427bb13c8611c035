-- How many deliveries of an endpoint and a state each stretch of 4,096 numbers holds: kept in the transaction that changes
-- them, so that the delivery at any place of a list is found without passing over those before it.
CREATE TABLE delivery_strata (
    stratum  INTEGER NOT NULL,               -- deliveries.seq >> 12
    endpoint INTEGER NOT NULL,               -- endpoints.row
    status   TEXT NOT NULL,
    n        INTEGER NOT NULL,
    PRIMARY KEY (stratum, endpoint, status)
) STRICT, WITHOUT ROWID;

INSERT INTO delivery_strata (stratum, endpoint, status, n)
    SELECT seq >> 12, endpoint, status, count(*) FROM deliveries GROUP BY 1, 2, 3;
