package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"recoup/dashboards"
	"recoup/internal/promtools/exported"
)

// rule is one rule of Prometheus; a key it does not know is an error.
type rule struct {
	Record      string
	Alert       string
	Expr        string
	For         string
	Labels      map[string]string
	Annotations struct{ Summary, Runbook, Dashboard string }
}

// rules reads the rule files that prometheus.yml loads, strictly.
func rules(t *testing.T) (all []rule) {
	t.Helper()
	content, err := os.ReadFile("prometheus/prometheus.yml")
	if err != nil {
		t.Fatal(err)
	}
	var loaded struct {
		RuleFiles []string `yaml:"rule_files"`
	}
	if err := yaml.Unmarshal(content, &loaded); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range loaded.RuleFiles {
		names, err := filepath.Glob(filepath.Join("prometheus", pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s names no file: %v", pattern, err)
		}
		for _, name := range names {
			var file struct {
				Groups []struct {
					Name  string
					Rules []rule
				}
			}
			if content, err = os.ReadFile(name); err != nil {
				t.Fatal(err)
			}
			if err := yaml.UnmarshalWithOptions(content, &file, yaml.Strict()); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, group := range file.Groups {
				all = append(all, group.Rules...)
			}
		}
	}
	return all
}

// tried is what promtool tests of one rule.
type tried struct{ fires, silent, resolves, value bool }

// trials reads promtool's tests, by rule.
func trials(t *testing.T) map[string]tried {
	t.Helper()
	content, err := os.ReadFile("prometheus/rules.test.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Tests []struct {
			Alerts []struct {
				EvalTime  string `yaml:"eval_time"`
				Alertname string
				Expected  []any `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
			Values []struct {
				Expr     string
				Expected []any `yaml:"exp_samples"`
			} `yaml:"promql_expr_test"`
		}
	}
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	all := map[string]tried{}
	for _, test := range file.Tests {
		fired := map[string]time.Duration{} // in this test
		for _, a := range test.Alerts {
			at, err := time.ParseDuration(a.EvalTime)
			if err != nil {
				t.Fatal(err)
			}
			is := all[a.Alertname]
			since, after := fired[a.Alertname]
			switch {
			case len(a.Expected) > 0:
				is.fires, fired[a.Alertname] = true, at
			case after && at > since:
				is.resolves = true
			default:
				is.silent = true
			}
			all[a.Alertname] = is
		}
		for _, v := range test.Values {
			all[v.Expr] = tried{value: len(v.Expected) > 0}
		}
	}
	return all
}

var (
	recorded = regexp.MustCompile(`recoup:[a-z_0-9]+(:[a-z0-9]+)?`)
	metric   = regexp.MustCompile(`recoup_[a-z_]+`)
)

// always is the expression of the watchdog: the one rule that never ends.
const always = "vector(1)"

// G12: an alert that names a metric which is not there never fires. promtool has tried
// of each that it fires, that it does not, and that it ends; of the watchdog that it
// fires whatever happens, since it is to be missed when alerts stop.
func TestRules(t *testing.T) {
	names, all, trials := exported.Metrics(t), rules(t), trials(t)
	for _, r := range all {
		if r.Record != "" {
			names = append(names, r.Record)
		}
	}
	for _, r := range all {
		used := append(recorded.FindAllString(r.Expr, -1), metric.FindAllString(recorded.ReplaceAllString(r.Expr, ""), -1)...)
		for _, name := range used {
			if !slices.Contains(names, name) {
				t.Errorf("%s%s names %s, which neither recoup exports nor a rule records", r.Alert, r.Record, name)
			}
		}
		foreign := len(used) == 0 && !strings.HasPrefix(r.Expr, `up{job="recoup"}`) && r.Expr != always
		if is := trials[r.Record]; foreign || r.Record != "" && !is.value {
			t.Errorf("%s%s asks for no metric of recoup, or promtool tests no value of it", r.Alert, r.Record)
		}
		want := tried{fires: true, silent: r.Expr != always, resolves: r.Expr != always}
		if is := trials[r.Alert]; r.Alert != "" && is != want {
			t.Errorf("promtool must try that %s fires, that it does not, and that it ends, as far as it does: %+v", r.Alert, is)
		}
		if wait, err := time.ParseDuration(r.For); r.For != "" && (err != nil || wait > 5*time.Minute) {
			t.Errorf("%s waits for %q", r.Alert, r.For)
		}
	}
	if len(all) < 12 {
		t.Errorf("%d rules are loaded", len(all))
	}
}

// identity are the labels of kpi.md that a rule of the process may set; the others come
// with the metric, and none is a value.
var identity = []string{"severity", "kind", "team"}

// A33: every alert leads to a page that says what it means, who owns it, what to do
// first and how it ends; operations lists it.
func TestAlertsHaveRunbooks(t *testing.T) {
	operations, err := os.ReadFile("../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		if !slices.Contains([]string{"critical", "error", "warning", "info"}, r.Labels["severity"]) ||
			r.Labels["team"] == "" || r.Labels["kind"] == "" || r.Annotations.Summary == "" {
			t.Errorf("%s lacks severity, kind, team or summary: %+v", r.Alert, r)
		}
		for label, value := range r.Labels {
			if !slices.Contains(identity, label) || strings.Contains(value, "{{") {
				t.Errorf("%s has the label %s=%q, which is no identity", r.Alert, label, value)
			}
		}
		if want := "{{ $externalLabels.runbooks }}/" + r.Alert + ".md"; r.Annotations.Runbook != want {
			t.Errorf("%s has the runbook %q, want %s", r.Alert, r.Annotations.Runbook, want)
		}
		if board, links := strings.CutPrefix(r.Annotations.Dashboard, "{{ $externalLabels.grafana }}/d/"); !links ||
			!slices.ContainsFunc(dashboards.Boards(), func(b dashboards.Board) bool { return b.UID == board }) {
			t.Errorf("%s links to no board: %q", r.Alert, r.Annotations.Dashboard)
		}
		page, err := os.ReadFile("../docs/runbooks/" + r.Alert + ".md")
		if err != nil {
			t.Error(err)
		}
		for _, part := range []string{
			"# Alert: " + r.Alert + "\n", "**Owner:** ", "\n## What it means\n", "\n## Do first\n",
		} {
			if !strings.Contains(string(page), part) {
				t.Errorf("the runbook of %s lacks %q", r.Alert, part)
			}
		}
		if !strings.Contains(string(page), "\n## How it ends\n") && !strings.Contains(string(page), "\n## Afterwards\n") {
			t.Errorf("the runbook of %s does not say how it ends", r.Alert)
		}
		if !strings.Contains(string(operations), "](runbooks/"+r.Alert+".md)") {
			t.Errorf("docs/OPERATIONS.md does not list %s", r.Alert)
		}
	}
}

// The folder that Prometheus reads in the container holds the rules too.
func TestComposeMountsTheRules(t *testing.T) {
	for _, volume := range project(t).Services["prometheus"].Volumes {
		if volume.Target == "/etc/prometheus" && filepath.Base(volume.Source) == "prometheus" {
			return
		}
	}
	t.Error("compose.yaml does not mount prometheus/ on /etc/prometheus")
}
