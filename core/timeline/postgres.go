package timeline

import (
	"errors"

	"github.com/lib/pq"
)

var postgres = dialect{
	driver: "postgres",
	dollar: true,
	// One writer at a time, as in SQLite, also for making the tables. The number is
	// the library's own.
	lock: `SELECT pg_advisory_xact_lock(7310579615302)`,
	schema: []string{
		`CREATE TABLE IF NOT EXISTS tstrans_epochs (
			id BIGSERIAL PRIMARY KEY, stream TEXT NOT NULL, started_us BIGINT NOT NULL, n BIGINT NOT NULL DEFAULT 0)`,
		`CREATE TABLE IF NOT EXISTS tstrans_markers (
			id BIGSERIAL PRIMARY KEY, epoch BIGINT NOT NULL REFERENCES tstrans_epochs (id),
			time DOUBLE PRECISION NOT NULL, text TEXT NOT NULL, data TEXT, created_us BIGINT NOT NULL)`,
		`CREATE INDEX IF NOT EXISTS tstrans_markers_time ON tstrans_markers (epoch, time, id)`,
		`CREATE INDEX IF NOT EXISTS tstrans_epochs_stream ON tstrans_epochs (stream, id)`,
	},
}

func postgresFull(err error) bool {
	var e *pq.Error
	return errors.As(err, &e) && e.Code == "53100" // disk_full
}
