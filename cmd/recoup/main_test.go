package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recoup/internal/testservers"
)

var rewrite = flag.Bool("rewrite", false, "write the expected outputs in testdata anew")

func TestMain(m *testing.M) { os.Exit(testservers.Main(m)) }

// outcome is what a command line came to.
type outcome struct {
	code           int
	stdout, stderr string
}

// recoup runs a command line in this process.
func recoup(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := execute(t.Context(), args, &session{stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr})
	return outcome{code, stdout.String(), stderr.String()}
}

// succeed runs a command line that must end with 0.
func succeed(t *testing.T, args ...string) outcome {
	t.Helper()
	got := recoup(t, "", args...)
	if got.code != 0 {
		t.Fatalf("recoup %s ended with %d\n%s%s", strings.Join(args, " "), got.code, got.stdout, got.stderr)
	}
	return got
}

// contains wants every text in an output.
func contains(t *testing.T, output string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(output, want) {
			t.Errorf("no %q in:\n%s", want, output)
		}
	}
}

// golden compares an output with its file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *rewrite {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test ./cmd/recoup -rewrite, and read the diff); got:\n%s\nwant:\n%s", path, got, want)
	}
}

// write makes a file for a test.
func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "recoup.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A wrong command line ends with 2 and points at the help.
func TestUsageErrors(t *testing.T) {
	for _, args := range [][]string{
		{"nonsense"}, {"score"}, {"score", "-", "--format", "xml"}, {"topics"}, {"dead-letters", "retry"},
		{"dead-letters", "retry", "--all", "billing.invoices/0/1"}, {"--log-level", "loud", "version"},
		{"check", ".", "--set", "deviation"}, {"check", ".", "--set", "deviation=150%"},
		{"topics", "create", "--partitions=-1"}, {"explain"}, {"explain", "F-1", "--at", "billing.invoices/3"},
	} {
		got := recoup(t, "", args...)
		if got.code != exitUsage || !strings.HasPrefix(got.stderr, "recoup: ") {
			t.Errorf("recoup %v ended with %d: %s", args, got.code, got.stderr)
		}
	}
	if got := recoup(t, ""); got.code != 0 || !strings.Contains(got.stdout, "Usage: recoup") {
		t.Errorf("recoup alone ended with %d: %s", got.code, got.stdout)
	}
}

// Every command explains itself, with an example where it takes anything.
func TestHelp(t *testing.T) {
	for _, command := range []string{"score", "explain", "check", "migrate", "topics create", "dead-letters ls",
		"dead-letters show", "dead-letters retry", "doctor", "config print", "case ls", "case show", "case ack",
		"case decide", "case recover", "case close", "case reopen", "hold", "release", "audit-sample",
		"canary"} {
		got := succeed(t, append(strings.Fields(command), "--help")...)
		contains(t, got.stdout, "Examples:\n", "recoup "+command)
	}
}

func TestVersion(t *testing.T) {
	said := succeed(t, "version").stdout
	contains(t, said, "recoup ", "\nrevision ", "go1.", "reads invoice.v1, writes verdict.v1", "tables ")
	if flag := succeed(t, "--version").stdout; flag != said {
		t.Errorf("recoup --version says\n%s\nrecoup version\n%s", flag, said)
	}
}

func TestConfigPrint(t *testing.T) {
	file := write(t, "kafka:\n  group: blue\n")
	contains(t, succeed(t, "config", "print", "--config", file, "--log-level", "debug").stdout,
		"group: blue # "+filepath.ToSlash(file)+":2:3", "level: debug # --log-level")
	got := recoup(t, "", "config", "print", "--config", write(t, "kafka:\n  brokrs: [a:1]\n"))
	if got.code != exitFailed {
		t.Errorf("an unknown key ended with %d", got.code)
	}
	contains(t, got.stderr, "recoup: cannot use the settings: ",
		":2:3: kafka.brokrs: unknown key; did you mean kafka.brokers?")
	got = recoup(t, "", "config", "print", "--config", "nowhere.yaml")
	if got.code != exitFailed || !strings.Contains(got.stderr, "cannot read the configuration: open nowhere.yaml") {
		t.Errorf("a missing file ended with %d: %s", got.code, got.stderr)
	}
}

// The file of the working directory is read when no other is named.
func TestDefaultConfigFile(t *testing.T) {
	t.Chdir(filepath.Dir(write(t, "kafka: {group: here}\n")))
	contains(t, succeed(t, "config", "print").stdout, "group: here # recoup.yaml:1:9")
	t.Setenv("RECOUP_CONFIG", write(t, "kafka: {group: named}\n"))
	contains(t, succeed(t, "config", "print").stdout, "group: named")
}

// An interrupt ends a command.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	s := &session{stdin: strings.NewReader(strings.Repeat("x\n", 10)), stdout: &out, stderr: &out}
	code := execute(ctx, []string{"score", "-"}, s)
	if code != exitFailed || !strings.Contains(out.String(), "interrupted") {
		t.Errorf("an interrupted score ended with %d: %s", code, out.String())
	}
}
