package clickhouse

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"time"
)

// A clickhouse binary older than this is passed over: refreshable views, which
// the schema uses, are ready for use since 24.10, and 25.3 is the first
// long-term release with them.
const (
	oldestYear  = 25
	oldestMonth = 3
)

// versionTimeout bounds "clickhouse --version".
const versionTimeout = 10 * time.Second

// engine is a way to run a server.
type engine interface {
	// name says what runs, for messages.
	name() string
	// command returns the command that serves dir on ports.
	command(dir string, ports ports) (*exec.Cmd, error)
}

// find returns a recent enough clickhouse of the PATH, else the library, which
// it installs when it is not in the cache.
func find(ctx context.Context, progress func(done, total int64)) (engine, error) {
	passedOver := "there is no clickhouse on the PATH"
	if path, err := exec.LookPath("clickhouse"); err == nil {
		version, err := binaryVersion(ctx, path)
		if err == nil {
			return pathBinary{path: path, version: version}, nil
		}
		passedOver = err.Error()
	}
	if !libraryRuns {
		return nil, fmt.Errorf("cannot start ClickHouse on %s/%s: %s, and its library exists for linux/amd64 only: "+
			"give the address of a server, or put a clickhouse of at least %d.%d on the PATH",
			runtime.GOOS, runtime.GOARCH, passedOver, oldestYear, oldestMonth)
	}
	if !childMainCalled {
		return nil, fmt.Errorf("cannot start ClickHouse: main or TestMain must call clickhouse.ChildMain first")
	}
	path, err := installLibrary(ctx, progress)
	if err != nil {
		return nil, err
	}
	return library{path: path}, nil
}

var versionPattern = regexp.MustCompile(`version (\d+)\.(\d+)[.\d]*`)

// binaryVersion returns the version of the clickhouse at path, or why it cannot
// be used. Distributions carry servers that are years old.
func binaryVersion(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	output, err := exec.CommandContext(ctx, path, "local", "--version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("cannot ask %s for its version: %w", path, err)
	}
	match := versionPattern.FindSubmatch(output)
	if match == nil {
		return "", fmt.Errorf("cannot read the version of %s from %q", path, bytes.TrimSpace(output))
	}
	year, _ := strconv.Atoi(string(match[1])) // digits by the pattern
	month, _ := strconv.Atoi(string(match[2]))
	version := string(bytes.TrimPrefix(match[0], []byte("version ")))
	if year < oldestYear || year == oldestYear && month < oldestMonth {
		return "", fmt.Errorf("%s is version %s, at least %d.%d is needed", path, version, oldestYear, oldestMonth)
	}
	return version, nil
}

// pathBinary is a clickhouse of the PATH.
type pathBinary struct{ path, version string }

func (b pathBinary) name() string { return b.path + " " + b.version }

func (b pathBinary) command(dir string, ports ports) (*exec.Cmd, error) {
	file := filepath.Join(dir, "config.xml")
	text, err := xml.MarshalIndent(newServerConfig(dir, file, ports), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("cannot write the server's configuration: %w", err)
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return nil, fmt.Errorf("cannot write the server's configuration: %w", err)
	}
	cmd := exec.Command(b.path, "server", "--config-file="+file)
	cmd.Dir = dir
	// The watchdog would be a process between this one and the server, and the
	// server would outlive both.
	cmd.Env = append(os.Environ(), "CLICKHOUSE_WATCHDOG_ENABLE=0")
	return cmd, nil
}

// serverConfig is the least a clickhouse server needs: everything else keeps
// the server's own defaults, so that tests meet what users have.
type serverConfig struct {
	XMLName       xml.Name `xml:"clickhouse"`
	LogLevel      string   `xml:"logger>level"`
	LogConsole    int      `xml:"logger>console"`
	Listen        string   `xml:"listen_host"`
	Native        int      `xml:"tcp_port"`
	HTTP          int      `xml:"http_port"`
	Path          string   `xml:"path"`
	Temporary     string   `xml:"tmp_path"`
	UserFiles     string   `xml:"user_files_path"`
	FormatSchemas string   `xml:"format_schema_path"`
	UsersFile     string   `xml:"user_directories>users_xml>path"`
	Password      string   `xml:"users>default>password"`
	Network       string   `xml:"users>default>networks>ip"`
	UserProfile   string   `xml:"users>default>profile"`
	UserQuota     string   `xml:"users>default>quota"`
	Access        int      `xml:"users>default>access_management"`
	Profile       string   `xml:"profiles>default"`
	Quota         string   `xml:"quotas>default"`
}

func newServerConfig(dir, file string, ports ports) serverConfig {
	return serverConfig{
		LogLevel: "warning", LogConsole: 1,
		Listen: "127.0.0.1", Native: ports.native, HTTP: ports.http,
		Path:          dir + "/", // the server wants the slash
		Temporary:     filepath.Join(dir, "tmp") + "/",
		UserFiles:     filepath.Join(dir, "user_files") + "/",
		FormatSchemas: filepath.Join(dir, "format_schemas") + "/",
		UsersFile:     file,
		Network:       "127.0.0.1", UserProfile: "default", UserQuota: "default", Access: 1,
	}
}
