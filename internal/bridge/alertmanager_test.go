package bridge

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"recoup/cases"
	"recoup/internal/child"
	"recoup/internal/promtools"
)

// example is the Alertmanager that recoup ships.
const example = "../../deploy/alertmanager/alertmanager.yml"

func tool(t *testing.T, which promtools.Tool) string {
	t.Helper()
	path, err := promtools.Find(t.Context(), which)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// The example is valid, also with its lines to fill in, and routes as kpi.md says.
func TestExampleRoutes(t *testing.T) {
	content, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	amtool := tool(t, promtools.Amtool)
	filled := filepath.Join(t.TempDir(), "filled.yml")
	if err := os.WriteFile(filled, []byte(strings.ReplaceAll(string(content), "#:", "")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{example, filled} {
		if said, err := exec.Command(amtool, "check-config", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", file, err, said)
		}
	}
	for labels, want := range map[string]string{"severity=critical": "pager", "severity=error": "pager,ticket",
		"severity=warning": "team", "severity=info": "nobody", "severity=info alertname=RecoupWatchdog": "heartbeat"} {
		said, err := exec.Command(amtool, append([]string{"config", "routes", "test", "--config.file=" + example},
			strings.Fields(labels)...)...).Output()
		if got := strings.TrimSpace(string(said)); err != nil || got != want {
			t.Errorf("%s goes to %q, want %q: %v", labels, got, want, err)
		}
	}
	incident := NewAlert(incidentCase("BLACK25", 1, cases.ActionOpen, cases.SeverityError, 4), english)
	for annotation := range incident.Annotations {
		shown := slices.Contains([]string{"summary", "status", "owner", "ends"}, annotation) // in the description or the page
		if !shown && !strings.Contains(string(content), "#:      "+annotation+": '{{ range .Alerts.Firing }}") {
			t.Errorf("the pager's details lack %s", annotation)
		}
	}
	for _, want := range []string{"group_by: [alertname, seller, kind, cause]", "group_wait: 30s", "group_interval: 5m",
		"repeat_interval: 4h"} {
		if !strings.Contains(string(content), want) {
			t.Errorf("the example lacks %q", want)
		}
	}
}

// alertmanager is a real one, with the example's routes and inhibitions, faster, and
// whom it notifies.
type alertmanager struct {
	t       *testing.T
	url     string
	command func() *exec.Cmd
	process *child.Process

	mu       sync.Mutex
	notified []notification
}

// notification is what Alertmanager sends to a webhook, as far as the test looks at it.
type notification struct {
	Receiver, Status string
	GroupLabels      map[string]string
	Alerts           []struct {
		Status      string
		Labels      map[string]string
		Annotations map[string]string
	}
}

func newAlertmanager(t *testing.T) *alertmanager {
	t.Helper()
	a := &alertmanager{t: t}
	pager := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var n notification
		if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
			t.Error(err)
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.notified = append(a.notified, n)
	}))
	t.Cleanup(pager.Close)
	content, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	routes, _, _ := strings.Cut(string(content), "\nreceivers:")
	routes = strings.NewReplacer("group_wait: 30s", "group_wait: 1s", "group_interval: 5m", "group_interval: 1s").
		Replace(routes)
	routes += "\nreceivers:\n"
	for _, name := range []string{"pager", "ticket", "team", "heartbeat", "nobody"} {
		routes += fmt.Sprintf("  - name: %s\n    webhook_configs: [{url: %q}]\n", name, pager.URL)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(config, []byte(routes), 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	program := tool(t, promtools.Alertmanager)
	a.url, a.command = "http://"+address, func() *exec.Cmd {
		cmd := exec.Command(program, "--config.file="+config, "--storage.path="+dir, "--web.listen-address="+address,
			"--cluster.listen-address=")
		cmd.Dir = promtools.Home(program)
		return cmd
	}
	t.Cleanup(a.kill)
	return a
}

func (a *alertmanager) start() {
	a.t.Helper()
	var err error
	if a.process, err = child.Start(a.command(), io.Discard); err != nil {
		a.t.Fatal(err)
	}
	eventually(a.t, "Alertmanager is ready", func() bool {
		response, err := http.Get(a.url + "/-/ready")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

func (a *alertmanager) kill() {
	if a.process != nil {
		a.process.KillGroup()
		<-a.process.Done()
	}
}

// alerts lists what Alertmanager holds, as "kind promotion state", sorted.
func (a *alertmanager) alerts() (list []string) {
	response, err := http.Get(a.url + "/api/v2/alerts")
	if err != nil {
		a.t.Log(err)
		return nil
	}
	defer response.Body.Close()
	var held []struct {
		Labels map[string]string
		Status struct {
			State       string
			InhibitedBy []string
			SilencedBy  []string
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&held); err != nil {
		a.t.Error(err)
	}
	for _, h := range held {
		state := h.Status.State
		switch {
		case len(h.Status.InhibitedBy) > 0:
			state = "inhibited"
		case len(h.Status.SilencedBy) > 0:
			state = "silenced"
		}
		list = append(list, strings.TrimSpace(h.Labels["kind"]+" "+h.Labels["promotion"])+" "+state)
	}
	slices.Sort(list)
	return list
}

// wait waits until Alertmanager holds exactly that.
func (a *alertmanager) wait(want ...string) {
	a.t.Helper()
	var got []string
	for deadline := time.Now().Add(40 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if got = a.alerts(); slices.Equal(got, want) {
			return
		}
	}
	a.t.Fatalf("Alertmanager holds %q, want %q", got, want)
}

// sent lists the notifications of a receiver.
func (a *alertmanager) sent(receiver, status string) (list []notification) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, n := range a.notified {
		if n.Receiver == receiver && n.Status == status {
			list = append(list, n)
		}
	}
	return list
}

// A real Alertmanager takes cases, groups and inhibits them, mutes one promotion, pages,
// and has them resolved; what came while it was away is told when it is back.
func TestRealAlertmanager(t *testing.T) {
	a := newAlertmanager(t)
	w := newWorld(t, NewAlertmanagers(AlertmanagerSettings{URLs: []string{a.url}, Repeat: time.Second,
		Filter: Filter{Lowest: cases.SeverityInfo, Invoices: true, Members: true}}))
	defer w.start()()
	defer w.start()() // a second one does no harm
	watch := func(kind cases.Kind, severity cases.Severity, seq int64, action cases.Action) *cases.Case {
		key := cases.RateKey("acme", "B2C/fibre", "customer_favour")
		if kind == cases.KindBlind {
			key = cases.BlindKey("acme", "billing-1")
		}
		return &cases.Case{Schema: cases.Schema, CaseID: cases.ID(key), DedupKey: key, Seq: seq, Action: action, Kind: kind,
			Severity: severity, Seller: "acme", DetectedAt: monday, OwnerTeam: "billing", Currency: "EUR",
			Watch: &cases.Watch{Since: monday, Segment: "B2C/fibre", Source: "billing-1", Reason: "silent"}}
	}
	black := incidentCase("BLACK25", 1, cases.ActionOpen, cases.SeverityCritical, 412)
	winter := incidentCase("WINTER", 1, cases.ActionOpen, cases.SeverityCritical, 30)

	// It is away when they come.
	w.send(black, winter, invoiceCase("alone", 1, ""), watch(cases.KindRate, cases.SeverityError, 1, cases.ActionOpen))
	eventually(t, "the bridge says that Alertmanager is away", func() bool {
		err := w.ready.Load()
		return err != nil && *err != nil
	})
	a.start()
	a.wait("incident BLACK25 active", "incident WINTER active", "invoice active", "rate active")
	w.send(invoiceCase("member", 1, black.CaseID))
	a.wait("incident BLACK25 active", "incident WINTER active", "invoice active", "invoice inhibited", "rate active")

	eventually(t, "both incidents come in one page", func() bool {
		list := a.sent("pager", "firing")
		return slices.ContainsFunc(list, func(n notification) bool {
			return len(n.Alerts) == 2 && n.GroupLabels["cause"] == "promotion" && n.GroupLabels["kind"] == "incident" &&
				strings.Contains(n.Alerts[0].Annotations["page"], "\n1) confirm promotion")
		})
	})
	eventually(t, "the team gets the single invoice and not the member", func() bool {
		list := a.sent("team", "firing")
		return len(list) > 0 && !slices.ContainsFunc(list, func(n notification) bool { return len(n.Alerts) != 1 })
	})

	// A known promotion mutes its code alone; a blind source mutes the rate.
	silence := exec.Command(tool(t, promtools.Amtool), "--alertmanager.url="+a.url, "silence", "add", "kind=incident",
		"seller=acme", "promotion=WINTER", "--end="+time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
		"--author=sales", "--comment=announced")
	if said, err := silence.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	w.send(watch(cases.KindBlind, cases.SeverityCritical, 1, cases.ActionOpen))
	a.wait("blind active", "incident BLACK25 active", "incident WINTER silenced", "invoice active", "invoice inhibited",
		"rate inhibited")

	// Worse or better: the alert of before is over. It restarts and has forgotten.
	less := incidentCase("BLACK25", 2, cases.ActionUpdate, cases.SeverityWarning, 412)
	w.send(less, watch(cases.KindBlind, cases.SeverityCritical, 2, cases.ActionResolve))
	a.wait("incident BLACK25 active", "incident WINTER silenced", "invoice active", "invoice inhibited", "rate active")
	a.kill()
	w.send(incidentCase("WINTER", 2, cases.ActionResolve, cases.SeverityCritical, 30))
	a.start()
	a.wait("incident BLACK25 active", "invoice active", "invoice inhibited", "rate active")

	w.send(incidentCase("BLACK25", 3, cases.ActionResolve, cases.SeverityWarning, 412))
	eventually(t, "the end of the incident is told", func() bool {
		return slices.ContainsFunc(a.sent("team", "resolved"), func(n notification) bool {
			return n.Alerts[0].Labels["promotion"] == "BLACK25"
		})
	})
}
