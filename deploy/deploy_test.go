// Package deploy tests the files of this folder as far as that is possible
// without Docker.
package deploy

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/goccy/go-yaml"

	"recoup/internal/config"
)

// project loads compose.yaml as `docker compose` does.
func project(t *testing.T) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"compose.yaml"}, cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	p, err := options.LoadProject(context.Background())
	if err != nil {
		t.Fatalf("compose.yaml does not load: %v", err)
	}
	return p
}

func TestComposeServices(t *testing.T) {
	want := []string{"alertmanager", "bridge", "clickhouse", "grafana", "kafka", "migrate", "prometheus", "recoup",
		"topics"}
	p := project(t)
	if got := p.ServiceNames(); !slices.Equal(got, want) {
		t.Fatalf("services %v, want %v", got, want)
	}
	for service, commands := range map[string][]string{
		"topics": {"topics", "create"}, "migrate": {"migrate"}, "recoup": {"run"}, "bridge": {"bridge"},
	} {
		if got := p.Services[service].Command; !slices.Equal(got, commands) {
			t.Errorf("service %s runs recoup %v, want %v", service, got, commands)
		}
	}
}

// A tag that moves gives another stack tomorrow; only our own image is built here.
func TestComposeImagesArePinned(t *testing.T) {
	pinned := regexp.MustCompile(`:v?\d+\.\d+\.\d+(\.\d+)?$`)
	for name, service := range project(t).Services {
		if service.Build != nil {
			if service.Build.Dockerfile != "deploy/Dockerfile" {
				t.Errorf("service %s is built from %s", name, service.Build.Dockerfile)
			}
			continue
		}
		if name == "clickhouse" {
			continue // pinned to the release line of the tests, see below
		}
		if !pinned.MatchString(service.Image) {
			t.Errorf("service %s: image %q is not pinned to a full version", name, service.Image)
		}
	}
}

// ClickHouse is of the release line that every test of this repository runs on.
func TestComposeClickHouseIsTheTestedOne(t *testing.T) {
	content, err := os.ReadFile("../internal/clickhouse/npm/package.json")
	if err != nil {
		t.Fatal(err)
	}
	var tested struct{ Dependencies map[string]string }
	if err := json.Unmarshal(content, &tested); err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`^\d+\.\d+`)
	if len(tested.Dependencies) == 0 {
		t.Fatal("no version of ClickHouse is pinned for the tests")
	}
	for name, version := range tested.Dependencies {
		want := "clickhouse/clickhouse-server:" + line.FindString(version)
		if got := project(t).Services["clickhouse"].Image; got != want {
			t.Errorf("compose.yaml runs %s, the tests %s %s: want %s", got, name, version, want)
		}
	}
}

// B10: nothing is published beyond this machine.
func TestComposePublishesOnLoopbackOnly(t *testing.T) {
	for name, service := range project(t).Services {
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("service %s publishes port %d on %q, want 127.0.0.1", name, port.Target, port.HostIP)
			}
		}
		if service.NetworkMode == "host" {
			t.Errorf("service %s uses the network of the host", name)
		}
	}
}

// recoup starts once the topics and tables are there, and they are made once
// their servers answer.
func TestComposeOrder(t *testing.T) {
	p := project(t)
	for _, edge := range []struct{ from, to, condition string }{
		{"topics", "kafka", types.ServiceConditionHealthy},
		{"migrate", "clickhouse", types.ServiceConditionHealthy},
		{"recoup", "topics", types.ServiceConditionCompletedSuccessfully},
		{"bridge", "topics", types.ServiceConditionCompletedSuccessfully},
		{"recoup", "migrate", types.ServiceConditionCompletedSuccessfully},
		{"grafana", "prometheus", types.ServiceConditionHealthy},
	} {
		if got := p.Services[edge.from].DependsOn[edge.to].Condition; got != edge.condition {
			t.Errorf("%s waits for %s with condition %q, want %q", edge.from, edge.to, got, edge.condition)
		}
	}
	for name, service := range p.Services {
		if service.Build == nil && service.HealthCheck == nil {
			t.Errorf("service %s has no health check", name)
		}
	}
}

// B10: passwords come from files that are not in the repository; recoup runs
// without rights.
func TestComposeSecrets(t *testing.T) {
	p := project(t)
	for name, secret := range p.Secrets {
		if secret.Environment != "" || secret.Content != "" || !strings.Contains(secret.File, "/secrets/") {
			t.Errorf("secret %s does not come from a file in secrets/: %+v", name, secret)
		}
	}
	for name, service := range p.Services {
		for key, value := range service.Environment {
			if secret := regexp.MustCompile(`(?i)password|token|secret`); secret.MatchString(key) &&
				value != nil && !strings.HasPrefix(*value, "/run/secrets/") {
				t.Errorf("service %s has %s in its environment", name, key)
			}
		}
		if service.Build != nil && (!service.ReadOnly || !slices.Contains(service.CapDrop, "ALL")) {
			t.Errorf("service %s may write to its image or has capabilities", name)
		}
	}
	out, err := exec.Command("git", "check-ignore", "secrets/clickhouse_password", "secrets/clickhouse_grafana_password",
		"secrets/grafana_password").Output()
	if err != nil || bytes.Count(out, []byte("\n")) != 3 {
		t.Errorf("git does not ignore the files of secrets/: %q, %v", out, err)
	}
}

// The configuration that is mounted loads, and reaches the services by the
// names and ports they have.
func TestComposeConfigurationLoads(t *testing.T) {
	p := project(t)
	mounted := ""
	for _, volume := range p.Services["recoup"].Volumes {
		if volume.Target == "/etc/recoup/recoup.yaml" {
			mounted = volume.Source
		}
	}
	variable := p.Services["recoup"].Environment["RECOUP_CONFIG"]
	if mounted == "" || variable == nil || *variable != "/etc/recoup/recoup.yaml" {
		t.Fatalf("recoup does not read what is mounted: %q, RECOUP_CONFIG %v", mounted, variable)
	}
	// The path of the secret exists in the container only.
	content, err := os.ReadFile(mounted)
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	here := filepath.Join(t.TempDir(), "recoup.yaml")
	moved := bytes.ReplaceAll(content, []byte("/run/secrets/clickhouse_password"), []byte(secret))
	if err := os.WriteFile(here, moved, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(here, nil)
	if err != nil {
		t.Fatal(err)
	}
	advertised := p.Services["kafka"].Environment["KAFKA_ADVERTISED_LISTENERS"]
	if advertised == nil || !strings.Contains(*advertised, "//"+c.Kafka.Brokers[0]) {
		t.Errorf("recoup dials %v, which Kafka does not advertise", c.Kafka.Brokers)
	}
	if user := p.Services["clickhouse"].Environment["CLICKHOUSE_USER"]; user == nil || *user != c.ClickHouse.User ||
		c.ClickHouse.Addresses[0] != "clickhouse:9000" {
		t.Errorf("recoup logs in to %v as %s", c.ClickHouse.Addresses, c.ClickHouse.User)
	}
}

// Prometheus scrapes the ports that recoup and the bridge listen on, and tells the
// Alertmanager that the bridge tells.
func TestPrometheusScrapesRecoup(t *testing.T) {
	content, err := os.ReadFile("prometheus/prometheus.yml")
	if err != nil {
		t.Fatal(err)
	}
	type static struct {
		StaticConfigs []struct{ Targets []string } `yaml:"static_configs"`
	}
	var prometheus struct {
		Alerting      struct{ Alertmanagers []static }
		ScrapeConfigs []static `yaml:"scrape_configs"`
	}
	if err := yaml.Unmarshal(content, &prometheus); err != nil {
		t.Fatal(err)
	}
	targets := func(list []static) (all []string) {
		for _, s := range list {
			for _, c := range s.StaticConfigs {
				all = append(all, c.Targets...)
			}
		}
		return all
	}
	scraped, told := targets(prometheus.ScrapeConfigs), targets(prometheus.Alerting.Alertmanagers)
	for _, want := range []string{"recoup:8780", "bridge:8781"} {
		if !slices.Contains(scraped, want) {
			t.Errorf("Prometheus scrapes %v, want %s", scraped, want)
		}
	}
	settings, err := os.ReadFile("recoup.compose.yaml")
	if err != nil || len(told) != 1 || !bytes.Contains(settings, []byte(`urls: ["http://`+told[0]+`"]`)) {
		t.Errorf("Prometheus tells %v, and the bridge another one: %v", told, err)
	}
}

// The image has no C library: what the Dockerfile builds must not ask for one.
func TestDockerfileBuildsAStaticBinary(t *testing.T) {
	content, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	build := regexp.MustCompile(`(?m)^RUN (.* go build (?:.*\\\n)*.*)$`).FindSubmatch(content)
	if build == nil {
		t.Fatal("the Dockerfile has no line that builds")
	}
	binary := filepath.Join(t.TempDir(), "recoup")
	line := strings.ReplaceAll(string(build[1]), "-o /recoup", "-o "+binary)
	command := exec.Command("sh", "-c", line)
	command.Dir = ".."
	command.Env = append(os.Environ(), "VERSION=v9.8.7", "REVISION=c0ffee") // as ARG does
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	file, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP || segment.Type == elf.PT_DYNAMIC {
			t.Errorf("the binary is linked dynamically (%v): it does not start in an image from scratch", segment.Type)
		}
	}
	said, err := exec.Command(binary, "--version").Output()
	if err != nil || !bytes.HasPrefix(said, []byte("recoup v9.8.7\nrevision c0ffee\n")) {
		t.Errorf("the binary says of itself %q, %v", said, err)
	}
	for _, want := range []string{"\nUSER 65532:65532\n", "ca-certificates.crt", "\nFROM scratch\n",
		"\nARG VERSION\nARG REVISION\nRUN "} {
		if !bytes.Contains(content, []byte(want)) {
			t.Errorf("the Dockerfile lacks %q", want)
		}
	}
}
