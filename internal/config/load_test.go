package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// refuse loads and wants exactly these problems, one a line.
func refuse(t *testing.T, yaml string, environ []string, want ...string) {
	t.Helper()
	_, err := load("recoup.yaml", []byte(yaml), environ)
	var problems *Error
	if !errors.As(err, &problems) {
		t.Fatalf("load(%q) = %v, want problems", yaml, err)
	}
	var got []string
	for _, p := range problems.Problems {
		got = append(got, p.String())
	}
	if len(got) != len(want) {
		t.Fatalf("load(%q) problems:\n%s\nwant:\n%s", yaml, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("problem %d = %s\nwant       %s", i, got[i], want[i])
		}
	}
}

func accept(t *testing.T, yaml string, environ ...string) *Loaded {
	t.Helper()
	l, err := load("recoup.yaml", []byte(yaml), environ)
	if err != nil {
		t.Fatalf("load(%q): %v", yaml, err)
	}
	return l
}

// An unknown key is an error with line, column and the nearest known key; all
// problems are told at once.
func TestUnknownKeys(t *testing.T) {
	refuse(t, "kafka:\n  brokrs: [a:1]\n  sasl:\n    user: x\nscorin: {}\nfoo: 1\ngroup: x\n", nil,
		"recoup.yaml:2:3: kafka.brokrs: unknown key; did you mean kafka.brokers?",
		"recoup.yaml:4:5: kafka.sasl.user: unknown key; did you mean kafka.sasl.username?",
		"recoup.yaml:5:1: scorin: unknown key; did you mean scoring?",
		"recoup.yaml:6:1: foo: unknown key; `recoup config print`",
		"recoup.yaml:7:1: group: unknown key; did you mean kafka.group?")
}

func TestBadYAML(t *testing.T) {
	refuse(t, "kafka: [\n", nil, "recoup.yaml:1:8: not valid YAML: ")
	refuse(t, "kafka:\n  group: a\n  group: b\n", nil,
		`recoup.yaml:3:3: not valid YAML: mapping key "group" already defined`)
	refuse(t, "log: {level: info}\n---\nlog: {level: warn}\n", nil, "recoup.yaml:3:4: a second YAML document")
	refuse(t, "kafka: 5\n", nil, `recoup.yaml:1:8: kafka: cannot use "5": expected keys below it`)
	refuse(t, "kafka:\n  group: [a]\n", nil, `recoup.yaml:2:10: kafka.group: cannot use "[": expected a single value`)
	refuse(t, "kafka:\n  group:\n", nil, `recoup.yaml:2:10: kafka.group: no value`)
	refuse(t, "kafka:\n  brokers: a:1\n", nil, `recoup.yaml:2:12: kafka.brokers: cannot use "a:1": expected a list`)
	refuse(t, "log: &l {level: info}\n", nil, `recoup.yaml:1:6: log: cannot use "&"`)
}

func TestValuesWithUnits(t *testing.T) {
	refuse(t, "kafka:\n  session_timeout: 10\npipeline:\n  row_buffer: 512\nscoring:\n  deviation: 0.15\n  min_n: many\n"+
		"  handling_cost: {EUR: lots}\npprof: {enabled: yes}\n", nil,
		`recoup.yaml:2:20: kafka.session_timeout: cannot use "10": expected a duration with its unit`,
		`recoup.yaml:4:15: pipeline.row_buffer: cannot use "512": expected a size with its unit`,
		`recoup.yaml:6:14: scoring.deviation: cannot use "0.15": expected a share in per cent`,
		`recoup.yaml:7:10: scoring.min_n: cannot use "many": expected a whole number`,
		`recoup.yaml:8:24: scoring.handling_cost.EUR: cannot use "lots": expected an amount`,
		`recoup.yaml:9:18: pprof.enabled: cannot use "yes": expected true or false`)
	c := accept(t, "kafka: {session_timeout: 1m30s}\npipeline: {row_buffer: 1GiB}\nscoring:\n  deviation: 12.34%\n"+
		"  half_life: 7d\n  handling_cost: {EUR: 49.90}\n")
	if c.Kafka.SessionTimeout.Std() != 90*time.Second || c.Pipeline.RowBuffer != 1<<30 || c.Scoring.Deviation != 1234 ||
		c.Scoring.HalfLife != 7*Day ||
		!reflect.DeepEqual(c.Scoring.HandlingCost, map[string]invoice.Amount{"EUR": 499000}) {
		t.Errorf("got %+v", c.Config)
	}
}

// Every form that is printed is read back.
func TestUnitsRoundTrip(t *testing.T) {
	for _, d := range []Duration{0, 1, Duration(time.Millisecond), Duration(90 * time.Second), Duration(time.Hour), Day,
		35 * Day, Day + Duration(time.Hour), Duration(10 * time.Minute)} {
		var back Duration
		if err := back.UnmarshalText([]byte(d.String())); err != nil || back != d {
			t.Errorf("Duration %d prints %q, reads %d, %v", d, d, back, err)
		}
	}
	for _, s := range []Size{0, 1, 1023, 1 << 10, 1<<10 + 1, 512 << 20, 3 << 30} {
		var back Size
		if err := back.UnmarshalText([]byte(s.String())); err != nil || back != s {
			t.Errorf("Size %d prints %q, reads %d, %v", s, s, back, err)
		}
	}
	for _, p := range []Percent{0, 1, 10, 100, 750, 1500, 1234, 10000} {
		var back Percent
		if err := back.UnmarshalText([]byte(p.String())); err != nil || back != p {
			t.Errorf("Percent %d prints %q, reads %d, %v", p, p, back, err)
		}
	}
	for _, bad := range []string{"", "%", "15", "-1%", "1.234%", "1.%", "1e3%", "15 %%", "99999999999%"} {
		if err := new(Percent).UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("Percent reads %q", bad)
		}
	}
}

// Every scalar and every list of texts has its variable, derived from the path,
// and the variable wins over the file.
func TestEnvironmentOverridesEveryField(t *testing.T) {
	probe := Default()
	leaves, _ := fields(&probe)
	values := map[reflect.Type]string{reflect.TypeFor[Duration](): "41d", reflect.TypeFor[Size](): "41MiB",
		reflect.TypeFor[Percent](): "41%", reflect.TypeFor[string](): "x41", reflect.TypeFor[Secret](): "s41",
		reflect.TypeFor[bool](): "true", reflect.TypeFor[int64](): "41", reflect.TypeFor[float64](): "0.41",
		reflect.TypeFor[[]string](): "a:41, b:41"}
	for _, f := range leaves {
		if f.isMap() {
			continue
		}
		value, ok := values[f.value.Type()]
		if !ok {
			t.Fatalf("%s: no test value for %v", f.path, f.value.Type())
		}
		l := &loader{out: &Loaded{Config: Default(), Origins: map[string]string{}}}
		l.leaves, l.sections = fields(&l.out.Config)
		l.environment([]string{f.variable() + "=" + value})
		if len(l.problems) > 0 {
			t.Fatalf("%s: %v", f.variable(), l.problems)
		}
		for _, got := range l.leaves {
			want := ""
			switch {
			case got.path == f.path && got.isSecret():
				want = hidden
			case got.path == f.path:
				want = value
			default:
				i := indexOf(leaves, got.path)
				want = leaves[i].text()
			}
			if got.text() != want {
				t.Errorf("%s=%s: %s is %q, want %q", f.variable(), value, got.path, got.text(), want)
			}
		}
	}
	if (field{path: "kafka.sasl.username"}).variable() != "RECOUP_KAFKA_SASL_USERNAME" {
		t.Error("the variable of kafka.sasl.username is not RECOUP_KAFKA_SASL_USERNAME")
	}
	c := accept(t, "kafka:\n  group: file\n  brokers: [f:1]\n", "RECOUP_KAFKA_GROUP=env", "RECOUP_KAFKA_BROKERS=a:1, b:2")
	if c.Kafka.Group != "env" || strings.Join(c.Kafka.Brokers, " ") != "a:1 b:2" {
		t.Errorf("group %q, brokers %q", c.Kafka.Group, c.Kafka.Brokers)
	}
}

func indexOf(leaves []field, path string) int {
	for i, f := range leaves {
		if f.path == path {
			return i
		}
	}
	return -1
}

func TestEnvironmentProblemsNameTheVariable(t *testing.T) {
	refuse(t, "", []string{"RECOUP_PIPELINE_FLUSH_ROWS=many", "RECOUP_LOG_LEVEL=info"},
		`RECOUP_PIPELINE_FLUSH_ROWS: pipeline.flush_rows: cannot use "many": expected a whole number`)
	refuse(t, "", []string{"RECOUP_LOG_LEVEL=loud"},
		`RECOUP_LOG_LEVEL: log.level: cannot use "loud": expected debug, info, warn or error`)
	// A misspelt variable is told, what Kubernetes sets by itself is not.
	l := accept(t, "", "RECOUP_KAFKA_BROKER=a:1", "RECOUP_SERVICE_HOST=10.0.0.1", "RECOUP_CONFIG=x", "RECOUP_CACHE=y")
	if len(l.Unused) != 1 ||
		l.Unused[0] != "RECOUP_KAFKA_BROKER is not a setting; did you mean RECOUP_KAFKA_BROKERS?" {
		t.Errorf("unused variables: %q", l.Unused)
	}
}

// Secrets come from files or the environment only (B10).
func TestSecrets(t *testing.T) {
	refuse(t, "clickhouse:\n  password: hunter2\n", nil,
		"recoup.yaml:2:13: clickhouse.password: a secret may not stand in the configuration: write it to a file and name "+
			"that in clickhouse.password_file, or set the environment variable RECOUP_CLICKHOUSE_PASSWORD")
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("from file\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	yaml := fmt.Sprintf("clickhouse: {password_file: %q}", file)
	if got := accept(t, yaml).ClickHouse.Password.Reveal(); got != "from file" {
		t.Errorf("password from the file is %q", got)
	}
	if got := accept(t, yaml, "RECOUP_CLICKHOUSE_PASSWORD=from env").ClickHouse.Password.Reveal(); got != "from env" {
		t.Errorf("password is %q, want the environment's", got)
	}
	refuse(t, "clickhouse: {password_file: /nowhere/password}", nil,
		"recoup.yaml:1:14: clickhouse.password_file: cannot read the secret: open /nowhere/password")
	if err := os.WriteFile(file, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	refuse(t, yaml, nil, "recoup.yaml:1:14: clickhouse.password_file: the file "+file+" is empty")
}

// A secret is never printed, by no verb, no log and not by `config print`.
func TestSecretsAreHidden(t *testing.T) {
	l := accept(t, "", "RECOUP_CLICKHOUSE_PASSWORD=hunter2")
	var out strings.Builder
	if err := l.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{out.String(), fmt.Sprintf("%v %+v %#v %s %q", l.Config, l.Config, l.Config,
		l.ClickHouse.Password, l.ClickHouse.Password)} {
		if strings.Contains(text, "hunter2") || !strings.Contains(text, hidden) {
			t.Errorf("the secret shows, or is not marked as hidden, in %s", text)
		}
	}
	if !strings.Contains(out.String(), "password: (hidden) # RECOUP_CLICKHOUSE_PASSWORD") {
		t.Errorf("config print does not say where the password came from:\n%s", out.String())
	}
}

// A login that somebody wrote into an address appears in no message (B10).
func TestLoginsInAddressesAreHidden(t *testing.T) {
	for yaml, environ := range map[string]string{
		"kafka: {brokers: ['user:hunter2@host:9092']}":                            "",
		"kafka: {brokers: ['hunter2@host:9092']}":                                 "",
		"kafka: {brokers: 'user:hunter2@host:9092'}":                              "",
		"kafka: 'user:hunter2@host:9092'":                                         "",
		"kafka: {dial_timeout: 'user:hunter2@host:9092'}":                         "",
		"kafka: {group: 'user:hunter2@host:9092'}":                                "",
		"clickhouse: {addresses: ['clickhouse://default:hunter2@h:9000']}":        "",
		"http: {listen: 'user:hunter2@host'}":                                     "",
		"log: {level: info}":                                                      "RECOUP_KAFKA_BROKERS=a:1,u:hunter2@b:2",
		"log: {level: debug}":                                                     "RECOUP_KAFKA_DIAL_TIMEOUT=u:hunter2@b:2",
		"clickhouse: {addresses: ['http://default:hunter2@h:8123/?x=hunter2@h']}": "",
	} {
		_, err := load("recoup.yaml", []byte(yaml), []string{environ})
		if err == nil {
			t.Errorf("%s %s: accepted", yaml, environ)
		} else if strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "***@") {
			t.Errorf("%s %s: %v", yaml, environ, err)
		}
	}
}

// What `config print` writes loads to the same settings.
func TestPrintLoads(t *testing.T) {
	l := accept(t, "scoring: {deviation: 12.5%, handling_cost: {JPY: 7000}}\nhttp: {listen: '0.0.0.0:80'}")
	var out strings.Builder
	if err := l.Print(&out); err != nil {
		t.Fatal(err)
	}
	if back := accept(t, out.String()); !reflect.DeepEqual(back.Config, l.Config) {
		t.Errorf("printed:\n%s\nloads to %+v\nwant %+v", out.String(), back.Config, l.Config)
	}
}

// Defaults stand in one literal here; those of the packages they go to agree.
func TestDefaultsAgreeWithTheirPackages(t *testing.T) {
	c := Default()
	if got := c.Scoring.Settings(); !reflect.DeepEqual(got, detectors.DefaultSettings()) {
		t.Errorf("scoring %+v\nwant    %+v", got, detectors.DefaultSettings())
	}
	if got, want := c.Pipeline.Limits.Invoice(), invoice.DefaultLimits(); got != want {
		t.Errorf("limits %+v\nwant   %+v", got, want)
	}
}

func TestSet(t *testing.T) {
	c := Default()
	for path, text := range map[string]string{"scoring.deviation": "12%", "scoring.handling_cost.JPY": "7000",
		"kafka.brokers": "a:1,b:2"} {
		if err := c.Set(path, text); err != nil {
			t.Error(err)
		}
	}
	if c.Scoring.Deviation != 1200 || c.Scoring.HandlingCost["JPY"] != 7000*invoice.Unit ||
		c.Scoring.HandlingCost["EUR"] != fifty || len(c.Kafka.Brokers) != 2 {
		t.Errorf("set to %+v", c)
	}
	for path, want := range map[string]string{
		"scoring.deviatoin": "cannot set scoring.deviatoin: unknown key; did you mean scoring.deviation?",
		"scoring.min_n":     `cannot set scoring.min_n to "x": expected a whole number`,
		"scoring.handling_cost": `cannot set scoring.handling_cost to "x": ` +
			"expected one entry, such as scoring.handling_cost.EUR",
	} {
		if err := c.Set(path, "x"); err == nil || err.Error() != want {
			t.Errorf("Set(%s) = %v\nwant %s", path, err, want)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("kafka: {brokers: [a:1]}\n", "RECOUP_LOG_LEVEL=debug")
	f.Add("scoring:\n  handling_cost: {EUR: 5}\n  deviation: 15%\n", "RECOUP_KAFKA_SASL_PASSWORD=x")
	f.Add("a: &x [*x]\n? {b: c}\n: |\n  text\n", "=")
	f.Fuzz(func(t *testing.T, yaml, environ string) {
		l, err := load("f.yaml", []byte(yaml), []string{environ})
		if err == nil && len(l.Validate()) > 0 {
			t.Errorf("load accepts what Validate refuses: %v", l.Validate())
		}
	})
}
