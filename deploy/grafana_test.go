package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/goccy/go-yaml"
)

// dataSources is the part of Grafana's provisioning that is used; more is a mistake.
type dataSources struct {
	APIVersion  int `yaml:"apiVersion"`
	Datasources []struct {
		Name, UID, Type, Access, URL string
		IsDefault                    bool `yaml:"isDefault"`
		Editable                     bool
		JSONData                     map[string]any    `yaml:"jsonData"`
		SecureJSONData               map[string]string `yaml:"secureJsonData"`
	}
}

// providers are where Grafana finds boards.
type providers struct {
	APIVersion int `yaml:"apiVersion"`
	Providers  []struct {
		Name, Folder, Type    string
		AllowUIUpdates        bool `yaml:"allowUiUpdates"`
		UpdateIntervalSeconds int  `yaml:"updateIntervalSeconds"`
		Options               struct{ Path string }
	}
}

// provisioning reads every file of a folder strictly.
func provisioning[T any](t *testing.T, folder string) (files []T) {
	t.Helper()
	paths, err := filepath.Glob("grafana/provisioning/" + folder + "/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files for %s: %v", folder, err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var file T
		if err := yaml.UnmarshalWithOptions(content, &file, yaml.Strict()); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		files = append(files, file)
	}
	return files
}

// Grafana finds a source of each type that boards ask; secrets come from the
// environment (B10).
func TestGrafanaDataSources(t *testing.T) {
	types, ids := []string{}, map[string]bool{}
	for _, file := range provisioning[dataSources](t, "datasources") {
		for _, source := range file.Datasources {
			types = append(types, source.Type)
			if file.APIVersion != 1 || source.UID == "" || ids[source.UID] || source.Editable {
				t.Errorf("source %s: want version 1, a uid of its own, and no editing", source.Name)
			}
			ids[source.UID] = true
			for name, secret := range source.SecureJSONData {
				if !regexp.MustCompile(`^\$\{RECOUP_\w+\}$`).MatchString(secret) {
					t.Errorf("source %s: %s does not come from the environment", source.Name, name)
				}
			}
		}
	}
	slices.Sort(types)
	if want := []string{"grafana-clickhouse-datasource", "prometheus", "recoup-datasource"}; !slices.Equal(types, want) {
		t.Errorf("sources of types %v, want %v", types, want)
	}
}

// Boards of both languages lie where Grafana looks, as compose mounts them.
func TestGrafanaBoards(t *testing.T) {
	grafana := project(t).Services["grafana"]
	n := 0
	for _, file := range provisioning[providers](t, "dashboards") {
		for _, p := range file.Providers {
			for _, output := range []string{"clickhouse", "recoup"} {
				path := strings.Replace(p.Options.Path, "${RECOUP_BOARDS}", "grafana/dashboards/"+output, 1)
				boards, err := filepath.Glob(path + "/*.json")
				if err != nil || len(boards) != 7 || p.Type != "file" || p.AllowUIUpdates {
					t.Errorf("provider %s finds %d boards in %s: %v", p.Name, len(boards), path, err)
				}
				n++
			}
		}
	}
	boards := ""
	for _, volume := range grafana.Volumes {
		if volume.Target == "/etc/recoup/boards" {
			boards = filepath.Base(volume.Source)
		}
	}
	if chosen := grafana.Environment["RECOUP_BOARDS"]; n != 4 || boards != "dashboards" ||
		chosen == nil || *chosen != "/etc/recoup/boards/clickhouse" {
		t.Errorf("%d folders of boards; compose mounts %q and chooses %v", n, boards, chosen)
	}
}

// Grafana asks as the user that may only read, whose file and password ClickHouse has.
func TestGrafanaAsksAsItsUser(t *testing.T) {
	p := project(t)
	user, server := p.Services["grafana"].Environment["RECOUP_CLICKHOUSE_USER"], p.Services["clickhouse"]
	mounted := slices.ContainsFunc(server.Volumes, func(v types.ServiceVolumeConfig) bool {
		return strings.HasSuffix(v.Source, "/clickhouse/grafana.xml") && strings.Contains(v.Target, "/users.d/") && v.ReadOnly
	})
	if user == nil || *user != "grafana" || !mounted {
		t.Errorf("Grafana asks as %v; its file is mounted: %v", user, mounted)
	}
	const password = "=$(cat /run/secrets/clickhouse_grafana_password) exec "
	for service, variable := range map[string]string{"grafana": "RECOUP_CLICKHOUSE_PASSWORD",
		"clickhouse": "RECOUP_GRAFANA_PASSWORD"} {
		if said := strings.Join(p.Services[service].Entrypoint, " "); !strings.Contains(said, variable+password) {
			t.Errorf("%s starts with %s, want %s from its secret", service, said, variable)
		}
	}
}

// Every variable of the provisioning files is set where compose starts Grafana.
func TestGrafanaEnvironment(t *testing.T) {
	grafana := project(t).Services["grafana"]
	paths, err := filepath.Glob("grafana/provisioning/*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(string(content), -1) {
			_, set := grafana.Environment[match[1]]
			if !set && !strings.Contains(strings.Join(grafana.Entrypoint, " "), match[1]+"=$(cat /run/secrets/") {
				t.Errorf("%s: nobody sets %s", path, match[1])
			}
		}
	}
}
