// Command recoup finds invoices that are wrong and follows each until the money
// is back. `recoup --help` lists what it can do.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"recoup/internal/clickhouse"
)

// Exit codes; docs/OPERATIONS.md explains them.
const (
	exitFailed   = 1 // the command failed, or found a problem
	exitUsage    = 2 // the command line is wrong
	exitBadInput = 3 // done, but some input could not be read
)

// commandLine is all that may stand behind "recoup".
type commandLine struct {
	Globals
	// ShowVersion is for who tries the flag first.
	ShowVersion versionFlag `name:"version" help:"Show what runs."`

	Demo        demoCommand        `cmd:"" help:"See it work on this machine; brings its own Kafka and ClickHouse."`
	Run         runCommand         `cmd:"" help:"Score every invoice of the topic, store it, open cases: the service."`
	Score       scoreCommand       `cmd:"" help:"Score a file of invoices; no servers needed."`
	Explain     explainCommand     `cmd:"" help:"Tell why one invoice got its verdict."`
	Check       checkCommand       `cmd:"" help:"Run scenario files: what would these settings say?"`
	Case        caseCommand        `cmd:"" help:"Work the cases: list, show, take, decide, get the money back."`
	Hold        holdCommand        `cmd:"" help:"Note that a billing run is not to be sent."`
	Release     releaseCommand     `cmd:"" help:"Note that a billing run may be sent."`
	Bridge      bridgeCommand      `cmd:"" help:"Tell Alertmanager and webhooks of open cases."`
	AuditSample auditSampleCommand `cmd:"" help:"Draw unflagged invoices for an audit; send its verdicts."`
	Canary      canaryCommand      `cmd:"" help:"Prove that recoup sees: send wrong invoices, look for them."`
	Migrate     migrateCommand     `cmd:"" help:"Make or update the tables in ClickHouse."`
	Topics      topicsCommand      `cmd:"" help:"Make the missing Kafka topics, or show how all are."`
	State       stateCommand       `cmd:"" help:"Mend what recoup knows after a topic was recreated or got partitions."`
	DeadLetters deadLettersCommand `cmd:"" help:"Look at records that could not be read, and send them again."`
	Doctor      doctorCommand      `cmd:"" help:"Try everything the service needs; name each problem with its fix."`
	Boards      boardsCommand      `cmd:"" help:"Write the Grafana boards that fit this program."`
	Config      configCommand      `cmd:"" help:"Show the settings in force."`
	Version     versionCommand     `cmd:"" help:"Show what runs."`
}

// Globals are the flags of every command.
type Globals struct {
	// ConfigFile holds the settings.
	ConfigFile string `name:"config" short:"c" placeholder:"FILE" env:"RECOUP_CONFIG" help:"By default ./recoup.yaml."`
	// LogLevel goes before log.level.
	LogLevel string `placeholder:"LEVEL" enum:"debug,info,warn,error," default:"" help:"debug, info, warn, error."`
}

const description = `recoup reads the invoices a company issues, says of each whether it is plausible, why not and
how much money is at stake, and opens a case where somebody should look.

Try it without any server: recoup demo, or recoup score FILE.`

func main() {
	clickhouse.ChildMain() // the demo's ClickHouse is this program, started again
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(execute(ctx, os.Args[1:], &session{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		environ: os.Environ()}))
}

// execute runs one command line and returns its exit code.
func execute(ctx context.Context, args []string, s *session) int {
	var line commandLine
	exited, exitCode := false, 0
	parser, err := kong.New(&line, kong.Name("recoup"), kong.Description(description),
		kong.Writers(s.stdout, s.stderr), kong.Exit(func(code int) { exited, exitCode = true, code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}))
	if err != nil {
		panic(err) // the struct above is wrong
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if exited { // --help
		return exitCode
	}
	if err != nil {
		fmt.Fprintf(s.stderr, "recoup: %v; see recoup --help\n", err)
		return exitUsage
	}
	s.flags = line.Globals
	parsed.BindTo(ctx, (*context.Context)(nil))
	return s.finish(parsed.Run(s))
}

// exitError ends the program with a code other than 1.
type exitError struct {
	code int
	err  error // nil: the command has said everything
}

// Error returns the message; it may be empty.
func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

// Unwrap returns what the code is for.
func (e *exitError) Unwrap() error { return e.err }

// finish prints a command's error and returns the exit code.
func (s *session) finish(err error) int {
	if err == nil {
		return 0
	}
	code := exitFailed
	if with, ok := errors.AsType[*exitError](err); ok {
		code = with.code
	}
	if message := err.Error(); message != "" {
		fmt.Fprintf(s.stderr, "recoup: %s\n", message)
	}
	return code
}

// usage is the error of a command line that cannot be meant.
func usage(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}
