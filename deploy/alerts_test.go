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
	"github.com/prometheus/client_golang/prometheus"

	"recoup/internal/ops"
	"recoup/pipeline"
)

// alert is one rule of Prometheus; a key it does not know is an error.
type alert struct {
	Alert       string
	Expr        string
	For         string
	Labels      struct{ Severity, Kind, Team string }
	Annotations struct{ Summary, Runbook string }
}

// alerts reads the rule files that prometheus.yml loads, strictly.
func alerts(t *testing.T) (all []alert) {
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
	for _, name := range loaded.RuleFiles {
		content, err := os.ReadFile(filepath.Join("prometheus", name))
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Groups []struct {
				Name  string
				Rules []alert
			}
		}
		if err := yaml.UnmarshalWithOptions(content, &file, yaml.Strict()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, group := range file.Groups {
			all = append(all, group.Rules...)
		}
	}
	return all
}

// exported returns the names of the metrics that recoup serves.
func exported(t *testing.T) (names []string) {
	t.Helper()
	health := ops.NewHealth()
	health.Set("kafka", nil)
	families, err := ops.NewRegistry(health).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		names = append(names, family.GetName())
	}
	described := make(chan *prometheus.Desc, 100)
	pipeline.NewMetrics(registerer{prometheus.NewRegistry(), described})
	close(described)
	for d := range described {
		_, rest, _ := strings.Cut(d.String(), `fqName: "`)
		name, _, _ := strings.Cut(rest, `"`)
		names = append(names, name)
	}
	return names
}

// G12: an alert that names a metric which is not there never fires. What each
// one means stands on the page it sends people to.
func TestAlerts(t *testing.T) {
	names := exported(t)
	page, err := os.ReadFile("../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n## When something is wrong\n")
	section, _, _ = strings.Cut(section, "\n## ")
	all := alerts(t)
	if !found || len(all) < 6 {
		t.Fatalf("%d alerts are loaded; the page has its section: %v", len(all), found)
	}
	metric := regexp.MustCompile(`recoup_[a-z_]+`)
	for _, a := range all {
		used := metric.FindAllString(a.Expr, -1)
		if len(used) == 0 {
			t.Errorf("%s asks for no metric of recoup: %q", a.Alert, a.Expr)
		}
		for _, name := range used {
			if !slices.Contains(names, name) {
				t.Errorf("%s names %s, which recoup does not export", a.Alert, name)
			}
		}
		if !slices.Contains([]string{"critical", "error", "warning", "info"}, a.Labels.Severity) {
			t.Errorf("%s has severity %q", a.Alert, a.Labels.Severity)
		}
		runbook := a.Annotations.Runbook
		_, err := os.Stat(filepath.Join("..", runbook)) // a page of its own, where there is more to do
		if a.Annotations.Summary == "" || runbook != "docs/OPERATIONS.md#when-something-is-wrong" && err != nil ||
			!strings.Contains(section, "`"+a.Alert+"`") {
			t.Errorf("docs/OPERATIONS.md does not explain %s, or it does not say so: %+v", a.Alert, a.Annotations)
		}
		if wait, err := time.ParseDuration(a.For); a.For != "" && (err != nil || wait > 5*time.Minute) {
			t.Errorf("%s waits for %q", a.Alert, a.For)
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

// registerer notes what is registered.
type registerer struct {
	*prometheus.Registry
	described chan *prometheus.Desc
}

func (r registerer) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		c.Describe(r.described)
	}
}
