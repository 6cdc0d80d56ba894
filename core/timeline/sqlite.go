package timeline

import (
	"errors"
	"net/url"
	"strings"

	"github.com/mattn/go-sqlite3"
)

// sqlite writes ahead (readers never wait) and syncs at each commit: what was
// acknowledged is on the disk.
var sqlite = dialect{
	driver: "sqlite3",
	schema: []string{
		`CREATE TABLE IF NOT EXISTS tstrans_epochs (
			id INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, started_us INTEGER NOT NULL, n INTEGER NOT NULL DEFAULT 0)`,
		`CREATE TABLE IF NOT EXISTS tstrans_markers (
			id INTEGER PRIMARY KEY AUTOINCREMENT, epoch INTEGER NOT NULL REFERENCES tstrans_epochs (id),
			time REAL NOT NULL, text TEXT NOT NULL, data TEXT, created_us INTEGER NOT NULL)`,
		`CREATE INDEX IF NOT EXISTS tstrans_markers_time ON tstrans_markers (epoch, time, id)`,
		`CREATE INDEX IF NOT EXISTS tstrans_epochs_stream ON tstrans_epochs (stream, id)`,
	},
}

func sqliteDSN(path string) string {
	// Immediate transactions: a reader that turned writer could not wait for another.
	return "file:" + strings.ReplaceAll(url.PathEscape(path), "%2F", "/") +
		"?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=10000&_foreign_keys=1&_txlock=immediate"
}

// full tells a full disk or database from other faults.
func full(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && e.Code == sqlite3.ErrFull || postgresFull(err)
}
