package timeline

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/tstrans/tstrans/core/tsterr"
)

// Config configures a Store. The zero value keeps markers in memory.
type Config struct {
	// URL names the database: a path or sqlite:///path for SQLite, postgres:// or
	// postgresql:// for PostgreSQL, "" or ":memory:" for one that ends with the
	// store. It defaults to "".
	URL string
	// Stream names the stream whose markers these are, up to 200 bytes: one
	// database serves several. It defaults to "live".
	Stream string
	// Poll is how often markers of other processes are looked for while somebody
	// waits for new ones. It defaults to 200 ms.
	Poll time.Duration
	// Timeout bounds each call that is given no context. It defaults to 10 s.
	Timeout time.Duration
	// Now gives the wall clock. It defaults to time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() (Config, error) {
	if c.Stream == "" {
		c.Stream = "live"
	}
	if len(c.Stream) > MaxStream {
		return c, fault(tsterr.TimelineInvalid, "stream", "name of %d bytes, at most %d are taken", len(c.Stream), MaxStream)
	}
	if c.Poll < 0 || c.Timeout < 0 {
		return c, fault(tsterr.TimelineInvalid, "poll", "a time below 0")
	}
	if c.Poll == 0 {
		c.Poll = 200 * time.Millisecond
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}

// Store keeps the markers of one stream. Any number of goroutines; any number of
// processes may open the same database.
type Store struct {
	cfg Config
	db  *sql.DB
	sql dialect

	mu    sync.Mutex // guards what follows
	epoch int64
	last  int64         // newest marker known of this stream, any epoch
	news  chan struct{} // closed and replaced when epoch or last changes
	waits int           // how many wait for news

	kick   chan struct{} // somebody began to wait
	cancel context.CancelFunc
	done   chan struct{}
}

// dialect is what differs between databases.
type dialect struct {
	driver string
	schema []string
	lock   string // first statement of a writing transaction
	dollar bool   // $1 instead of ?
}

// q adapts the place holders of a query.
func (d *dialect) q(s string) string {
	if !d.dollar {
		return s
	}
	var b strings.Builder
	n := 0
	for _, r := range s {
		if r != '?' {
			b.WriteRune(r)
			continue
		}
		n++
		b.WriteByte('$')
		b.WriteByte(byte('0' + n)) // no query here has ten
	}
	return b.String()
}

// Open opens or creates the database. The stream's latest epoch goes on, so that
// several processes look at the same one; Begin starts a new one.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	d, dsn, single, err := database(cfg.URL)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open(d.driver, dsn)
	if err != nil {
		return nil, failed("url", err)
	}
	if single {
		db.SetMaxOpenConns(1) // another connection would be another memory
		db.SetMaxIdleConns(1)
		db.SetConnMaxLifetime(0)
	} else {
		db.SetMaxOpenConns(8)
	}
	s := &Store{cfg: cfg, db: db, sql: d, news: make(chan struct{}), kick: make(chan struct{}, 1), done: make(chan struct{})}
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	if err := s.prepare(ctx); err != nil {
		_ = db.Close() // the cause is what counts
		return nil, err
	}
	live, stop := context.WithCancel(context.Background())
	s.cancel = stop
	go s.follow(live)
	return s, nil
}

// database finds the dialect and source name of a URL.
func database(u string) (d dialect, dsn string, single bool, err error) {
	scheme, rest, found := strings.Cut(u, "://")
	switch {
	case strings.IndexByte(u, 0) >= 0:
		return d, "", false, fault(tsterr.TimelineURL, "url", "a NUL in the database's name")
	case u == "" || u == ":memory:":
		return sqlite, "file::memory:?_busy_timeout=10000&_foreign_keys=1", true, nil
	case !found:
		return sqlite, sqliteDSN(u), false, checkFolder(u)
	case scheme == "sqlite" || scheme == "sqlite3" || scheme == "file":
		// sqlite:///relative and sqlite:////absolute, as SQLAlchemy writes them; file:///absolute.
		path := rest
		if scheme != "file" {
			path = strings.TrimPrefix(path, "/")
		}
		if path == "" {
			return d, "", false, fault(tsterr.TimelineURL, "url", "%s names no file", u)
		}
		return sqlite, sqliteDSN(path), false, checkFolder(path)
	case scheme == "postgres" || scheme == "postgresql":
		p, err := url.Parse(u)
		if err != nil || p.Host == "" && p.Query().Get("host") == "" {
			// The text of the fault would hold the password.
			return d, "", false, fault(tsterr.TimelineURL, "url", "the database URL cannot be read")
		}
		return postgres, u, false, nil
	}
	return d, "", false, fault(tsterr.TimelineURL, "url", "no database of scheme %q: a path, sqlite:// or postgres://", scheme)
}

// checkFolder reports a missing folder as what it is: SQLite only says that it
// cannot open the file.
func checkFolder(path string) error {
	at := strings.LastIndexByte(path, '/')
	if at <= 0 {
		return nil
	}
	if _, err := os.Stat(path[:at]); err != nil {
		return failed("url", err)
	}
	return nil
}

func (s *Store) prepare(ctx context.Context) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		for _, stmt := range s.sql.schema {
			if _, err := tx.ExecContext(ctx, stmt); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err = s.look(ctx); err != nil {
		return err
	}
	if s.epoch == 0 {
		_, err = s.Begin(ctx)
	}
	return err
}

// look reads the state that other processes may have changed.
func (s *Store) look(ctx context.Context) error {
	var epoch, last sql.NullInt64
	err := s.db.QueryRowContext(ctx, s.sql.q(`SELECT (SELECT max(id) FROM tstrans_epochs WHERE stream = ?),
		(SELECT max(m.id) FROM tstrans_markers m JOIN tstrans_epochs e ON m.epoch = e.id WHERE e.stream = ?)`),
		s.cfg.Stream, s.cfg.Stream).Scan(&epoch, &last)
	if err != nil {
		return failed("", err)
	}
	s.tell(epoch.Int64, last.Int64)
	return nil
}

// tell wakes those who wait when something is new.
func (s *Store) tell(epoch, last int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if epoch <= s.epoch && last <= s.last {
		return
	}
	s.epoch, s.last = max(epoch, s.epoch), max(last, s.last)
	close(s.news)
	s.news = make(chan struct{})
}

// Begin starts a new epoch, with markers in it or without, in one step, and gives
// its number.
func (s *Store) Begin(ctx context.Context, markers ...*Marker) (int64, error) {
	return s.put(ctx, true, markers)
}

// write runs a transaction that is the stream's only one: ids become visible in
// their order, so that who asks for what is newer than one misses none.
func (s *Store) write(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return failed("", err)
	}
	if s.sql.lock != "" {
		if _, err := tx.ExecContext(ctx, s.sql.lock); err != nil {
			_ = tx.Rollback() // the cause is what counts
			return failed("", err)
		}
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback() // the cause is what counts
		return failed("", err)
	}
	if err := tx.Commit(); err != nil {
		_ = tx.Rollback() // a commit that failed may leave the transaction open
		return failed("", err)
	}
	return nil
}

// Epoch is the current epoch as last seen.
func (s *Store) Epoch() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.epoch
}

// Stream is the stream's name.
func (s *Store) Stream() string { return s.cfg.Stream }

// Add stores markers in the current epoch, all or none, and returns once they are
// durable. IDs, epochs and creation times are filled in.
func (s *Store) Add(ctx context.Context, markers ...*Marker) error {
	if len(markers) == 0 {
		return nil
	}
	_, err := s.put(ctx, false, markers)
	return err
}

func (s *Store) put(ctx context.Context, begin bool, markers []*Marker) (int64, error) {
	for _, m := range markers {
		if err := m.Validate(); err != nil {
			return 0, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	now := s.cfg.Now().UnixMicro()
	ids := make([]int64, len(markers))
	var epoch int64
	err := s.write(ctx, func(tx *sql.Tx) error {
		var n int64
		if begin {
			if err := tx.QueryRowContext(ctx, s.sql.q(`INSERT INTO tstrans_epochs (stream, started_us) VALUES (?, ?) RETURNING id`),
				s.cfg.Stream, now).Scan(&epoch); err != nil {
				return err
			}
		} else if err := tx.QueryRowContext(ctx, s.sql.q(`SELECT id, n FROM tstrans_epochs WHERE stream = ? ORDER BY id DESC LIMIT 1`),
			s.cfg.Stream).Scan(&epoch, &n); err != nil {
			return err // read inside: another process may have begun an epoch meanwhile
		}
		if n+int64(len(markers)) > MaxMarkers {
			return fault(tsterr.TimelineFull, "", "the epoch holds %d markers, at most %d are taken", n, MaxMarkers)
		}
		if _, err := tx.ExecContext(ctx, s.sql.q(`UPDATE tstrans_epochs SET n = n + ? WHERE id = ?`), len(markers), epoch); err != nil {
			return err
		}
		for i, m := range markers {
			var data any
			if len(m.Data) > 0 {
				data = string(m.Data)
			}
			if err := tx.QueryRowContext(ctx, s.sql.q(`INSERT INTO tstrans_markers (epoch, time, text, data, created_us)
				VALUES (?, ?, ?, ?, ?) RETURNING id`), epoch, m.Time, m.Text, data, now).Scan(&ids[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	var last int64
	for i, m := range markers {
		m.ID, m.Epoch, m.Created = ids[i], epoch, now
		last = ids[i]
	}
	s.tell(epoch, last)
	return epoch, nil
}

// Query selects markers. The zero value selects the current epoch's.
type Query struct {
	Epoch int64 // 0 is the current one, -1 all of the stream
	// AfterID leaves out ids up to this one.
	AfterID int64
	// After leaves out times up to this one; nil leaves out none.
	After *float64
	// From and Until bound the time, both inclusive; nil bounds nothing.
	From, Until *float64
	// ByID orders by id instead of by time.
	ByID bool
	// Limit bounds the answer. It defaults to 100,000 and is at most that.
	Limit int
}

// MaxAnswer bounds the markers of one answer.
const MaxAnswer = 100_000

// Markers gives the markers a query selects, ordered by time, equal times by id.
func (s *Store) Markers(ctx context.Context, q Query) ([]Marker, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	var where strings.Builder
	var args []any
	and := func(cond string, arg any) {
		if where.Len() > 0 {
			where.WriteString(" AND ")
		}
		where.WriteString(cond)
		args = append(args, arg)
	}
	switch {
	case q.Epoch < 0:
		and("epoch IN (SELECT id FROM tstrans_epochs WHERE stream = ?)", s.cfg.Stream)
	case q.Epoch > 0:
		and("epoch IN (SELECT id FROM tstrans_epochs WHERE stream = ?)", s.cfg.Stream)
		and("epoch = ?", q.Epoch)
	default:
		and("epoch = (SELECT max(id) FROM tstrans_epochs WHERE stream = ?)", s.cfg.Stream)
	}
	if q.AfterID > 0 {
		and("id > ?", q.AfterID)
	}
	for _, c := range []struct {
		cond string
		v    *float64
	}{{"time > ?", q.After}, {"time >= ?", q.From}, {"time <= ?", q.Until}} {
		if c.v != nil {
			and(c.cond, *c.v)
		}
	}
	order := "time, id"
	if q.ByID {
		order = "id"
	}
	if q.Limit <= 0 || q.Limit > MaxAnswer {
		q.Limit = MaxAnswer
	}
	args = append(args, q.Limit)
	rows, err := s.db.QueryContext(ctx, s.sql.q("SELECT id, epoch, time, text, data, created_us FROM tstrans_markers WHERE "+
		where.String()+" ORDER BY "+order+" LIMIT ?"), args...)
	if err != nil {
		return nil, failed("", err)
	}
	defer rows.Close() //nolint:errcheck // Err below tells what failed
	out := []Marker{}
	for rows.Next() {
		var m Marker
		var data sql.NullString
		if err := rows.Scan(&m.ID, &m.Epoch, &m.Time, &m.Text, &data, &m.Created); err != nil {
			return nil, failed("", err)
		}
		if data.Valid {
			m.Data = []byte(data.String)
		}
		out = append(out, m)
	}
	return out, failed("", rows.Err())
}

// Close ends waits and closes the database.
func (s *Store) Close() error {
	s.cancel()
	<-s.done
	return failed("", s.db.Close())
}

// failed makes an error of what a database says.
func failed(field string, err error) error {
	if err == nil {
		return nil
	}
	var own *tsterr.Error
	if errors.As(err, &own) {
		return err
	}
	k := tsterr.TimelineStore
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		k = tsterr.Timeout
	case errors.Is(err, context.Canceled):
		k = tsterr.Cancelled
	case err.Error() == "sql: database is closed":
		k = tsterr.Closed
	case full(err):
		k = tsterr.TimelineFull
	}
	e := tsterr.Wrap(k, err, "markers")
	e.Field = field
	return e
}
