package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"recoup/internal/config"
	"recoup/internal/ops"
)

// doctorCommand is `recoup doctor`.
type doctorCommand struct {
	JSON    bool          `name:"json" help:"Write the findings as JSON."`
	Timeout time.Duration `default:"60s" help:"Give up after this long."`
}

// Help is the longer text of `recoup doctor --help`.
func (*doctorCommand) Help() string {
	return `Tries everything "recoup run" needs, changes nothing, and names each problem with its fix: settings and
secrets, Kafka (reachable, TLS, login, topics, partitions, their settings, consumer lag), ClickHouse (reachable, login,
tables and their columns, deduplication, clock, space on its disks), the port of metrics and the health of a recoup
that serves there, currencies without a handling cost, the model that judges, and whom "recoup bridge" tells.

Examples:

    recoup doctor
    recoup doctor --json | jq '.checks[] | select(.ok | not)'

Exit code 1: there is at least one problem.`
}

// finding is what one check came to.
type finding struct {
	Check   string `json:"check"`
	OK      bool   `json:"ok"`
	Detail  string `json:"detail,omitempty"`  // what was found, when ok
	Problem string `json:"problem,omitempty"` // what is wrong, when not
	Fix     string `json:"fix,omitempty"`     // what to do about it
}

// examination collects findings.
type examination struct {
	settings *config.Config
	log      *slog.Logger
	findings []finding
}

func (x *examination) ok(check, format string, args ...any) {
	x.findings = append(x.findings, finding{Check: check, OK: true, Detail: fmt.Sprintf(format, args...)})
}

func (x *examination) wrong(check, problem, fix string) {
	x.findings = append(x.findings, finding{Check: check, Problem: problem, Fix: fix})
}

// failed notes an error; a fix that stands in its text becomes the fix.
func (x *examination) failed(check string, err error, fix string) {
	problem, own, found := strings.Cut(err.Error(), "; fix: ")
	if found {
		fix = own
	}
	x.wrong(check, problem, fix)
}

// Run examines everything and prints what it found.
func (c *doctorCommand) Run(ctx context.Context, s *session) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	x := &examination{log: slog.New(slog.DiscardHandler)}
	if loaded := x.configuration(s); loaded != nil {
		x.settings = &loaded.Config
		x.messages()
		x.port(ctx)
		x.kafka(ctx)
		x.clickHouse(ctx)
		x.bridge(ctx)
	}
	problems := 0
	for _, f := range x.findings {
		if !f.OK {
			problems++
		}
	}
	if err := x.print(s.stdout, c.JSON, problems); err != nil {
		return fmt.Errorf("cannot write the findings: %w", err)
	}
	if problems > 0 {
		return &exitError{code: exitFailed}
	}
	return nil
}

func (x *examination) print(w io.Writer, asJSON bool, problems int) error {
	if asJSON {
		out := json.NewEncoder(w)
		out.SetEscapeHTML(false)
		out.SetIndent("", "  ")
		return out.Encode(struct {
			OK     bool      `json:"ok"`
			Checks []finding `json:"checks"`
		}{problems == 0, x.findings})
	}
	var b strings.Builder
	for _, f := range x.findings {
		if f.OK {
			fmt.Fprintf(&b, "ok       %-13s  %s\n", f.Check, f.Detail)
			continue
		}
		fmt.Fprintf(&b, "PROBLEM  %-13s  %s\n", f.Check, f.Problem)
		if f.Fix != "" {
			fmt.Fprintf(&b, "         %-13s  fix: %s\n", "", f.Fix)
		}
	}
	switch problems {
	case 0:
		b.WriteString("no problems; next: recoup run\n")
	case 1:
		b.WriteString("1 problem\n")
	default:
		fmt.Fprintf(&b, "%d problems\n", problems)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// messages checks the texts of a user's own, if there are any.
func (x *examination) messages() {
	folder := x.settings.Cases.Templates
	if folder == "" {
		return
	}
	if _, err := x.settings.Opener(); err != nil {
		x.wrong("messages", err.Error(), "mend the files in "+folder+"; docs/CASES.md tells their form")
		return
	}
	x.ok("messages", "drafts to customers with the texts of %s", folder)
}

// configuration checks the file, the environment and the secrets; nil means
// that nothing else can be examined.
func (x *examination) configuration(s *session) *config.Loaded {
	quiet := *s
	quiet.stderr = io.Discard // what it would say is a finding here
	loaded, err := quiet.settings()
	if err != nil {
		const fix = "mend the settings; recoup config print shows them, deploy/recoup.example.yaml explains each"
		listed, many := errors.AsType[*config.Error](err)
		if !many {
			x.wrong("configuration", err.Error(), fix)
			return nil
		}
		for _, p := range listed.Problems {
			x.wrong("configuration", p.String(), fix)
		}
		return nil
	}
	for _, unused := range loaded.Unused {
		x.wrong("configuration", unused, "rename the variable or unset it")
	}
	file := loaded.File
	if file == "" {
		file = "no file, defaults and environment only"
	}
	x.ok("configuration", "%s", file)
	return loaded
}

// port checks that metrics can be served. A recoup that answers there already is
// the service itself: it says which of its parts are broken.
func (x *examination) port(ctx context.Context) {
	address := x.settings.HTTP.Listen
	listener, err := net.Listen("tcp", address)
	if err == nil {
		listener.Close()
		x.ok("http", "%s is free", address)
		return
	}
	parts, recoup := askRecoup(ctx, address)
	if !recoup {
		x.wrong("http", fmt.Sprintf("cannot listen on %s: %v", address, err),
			"stop what uses the port, or set http.listen to another")
		return
	}
	x.ok("http", "a recoup serves %s already", address)
	for _, part := range parts {
		if !part.OK {
			x.wrong("running", fmt.Sprintf("%s of the recoup at %s is broken: %s", part.Name, address, part.Error),
				"see the other problems here and that recoup's log; it goes on by itself once the cause is gone")
		}
	}
}

// askRecoup asks what listens there for the state of its parts, and reports
// whether that is a recoup.
func askRecoup(ctx context.Context, address string) (parts []ops.PartState, recoup bool) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return nil, false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, false
	}
	defer response.Body.Close()
	var answer struct {
		OK    *bool // a recoup says it, true or false
		Parts []ops.PartState
	}
	err = json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&answer)
	return answer.Parts, err == nil && answer.OK != nil
}
