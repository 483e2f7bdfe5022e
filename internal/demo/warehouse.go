package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"recoup/internal/address"
	"recoup/internal/clickhouse"
)

// warehouse is the ClickHouse of one demo: its own child process, or a database
// of its own on a server that was given.
type warehouse struct {
	native, http string // host:port
	database     string
	version      string
	own          *clickhouse.Server // nil: a server that was given
}

// askTimeout bounds one query of the demo itself.
const askTimeout = 30 * time.Second

// openWarehouse starts ClickHouse, or reaches the one at the given address.
func openWarehouse(ctx context.Context, options Options) (*warehouse, error) {
	if options.ClickHouse == "" {
		return startWarehouse(ctx, options)
	}
	if options.Keep != "" {
		return nil, errors.New("cannot keep the data of another server: give --keep, but not with --clickhouse")
	}
	if err := address.Check(options.ClickHouse, "localhost:9000"); err != nil {
		return nil, fmt.Errorf("cannot reach ClickHouse with --clickhouse: %w", err)
	}
	w := &warehouse{
		native: options.ClickHouse, http: options.ClickHouseHTTP,
		database: "recoup_demo_" + time.Now().UTC().Format("20060102_150405"),
	}
	if w.http == "" {
		host, _, _ := net.SplitHostPort(options.ClickHouse) // checked above
		w.http = net.JoinHostPort(host, "8123")
	}
	if err := address.Check(w.http, "localhost:8123"); err != nil {
		return nil, fmt.Errorf("cannot reach ClickHouse with --clickhouse-http: %w", err)
	}
	var err error
	if w.version, err = w.ask(ctx, "SELECT version()"); err != nil {
		return nil, fmt.Errorf("cannot reach ClickHouse over HTTP at %s (give its address with --clickhouse-http): %w",
			w.http, err)
	}
	return w, nil
}

// startWarehouse starts a server of the demo's own, installing it first when
// it has to.
func startWarehouse(ctx context.Context, options Options) (*warehouse, error) {
	if err := checkKeep(options.Keep); err != nil {
		return nil, err
	}
	server, err := clickhouse.Start(ctx, clickhouse.Options{Dir: options.Keep, Progress: installing(options.Out)})
	if err != nil {
		return nil, err
	}
	return &warehouse{
		native: server.NativeAddr, http: server.HTTPAddr, database: "recoup", version: server.Version, own: server,
	}, nil
}

// installing shows how far the installation of ClickHouse is: with a bar on a
// terminal, in one line elsewhere.
func installing(out io.Writer) func(done, total int64) {
	var bar *progressbar.ProgressBar
	return func(done, total int64) {
		if bar == nil {
			file, ok := out.(*os.File)
			fmt.Fprintf(out, "installing ClickHouse (%d MB), once\n", total/1_000_000)
			bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(out), progressbar.OptionShowBytes(true),
				progressbar.OptionSetVisibility(ok && term.IsTerminal(int(file.Fd()))),
				progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionClearOnFinish())
		}
		_ = bar.Set64(done) // a bar that cannot be drawn must not stop the demo
	}
}

// checkKeep refuses a directory with older data: its rows would count as
// stored, because their positions come again on a new topic.
func checkKeep(dir string) error {
	if dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("cannot keep the data in %q: %w", dir, err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("cannot keep the data in %q: it is not empty; give a new directory", dir)
	}
	return nil
}

// ask runs one query over the HTTP interface, as a user with curl would.
func (w *warehouse) ask(ctx context.Context, query string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return clickhouse.Ask(ctx, w.http, query)
}

// rows reads back what was stored, one entry per invoice.
func (w *warehouse) rows(ctx context.Context) ([]StoredRow, error) {
	answer, err := w.ask(ctx, "SELECT invoice_id, (max(suspect) = 1)::Bool AS suspect, "+
		"toString(any(decision)) AS decision, toUInt32(count()) AS rows "+
		"FROM "+w.database+".scored_invoices GROUP BY invoice_id FORMAT JSONEachRow")
	if err != nil {
		return nil, err
	}
	var rows []StoredRow
	for decoder := json.NewDecoder(strings.NewReader(answer)); decoder.More(); {
		var row StoredRow
		if err := decoder.Decode(&row); err != nil {
			return nil, fmt.Errorf("cannot read ClickHouse's answer: %w", err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// stored returns how many rows there are.
func (w *warehouse) stored(ctx context.Context) (n int, err error) {
	answer, err := w.ask(ctx, "SELECT count() FROM "+w.database+".scored_invoices")
	if err != nil {
		return 0, err
	}
	if _, err := fmt.Sscan(answer, &n); err != nil {
		return 0, fmt.Errorf("cannot read ClickHouse's answer %q: %w", answer, err)
	}
	return n, nil
}

// close stops the demo's own server; a server that was given keeps the database.
func (w *warehouse) close() error {
	if w.own == nil {
		return nil
	}
	// The demo may be ending because its context has: stopping takes its own time.
	return w.own.Stop(context.Background())
}
