package source

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/grpcplugin"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"recoup/cases"
)

// program is the plugin's binary, run and asked as Grafana does it.
type program struct {
	t        *testing.T
	settings backend.DataSourceInstanceSettings
	said     *output // its log

	data        grpcplugin.DataClient
	diagnostics grpcplugin.DiagnosticsClient
	resource    grpcplugin.ResourceClient
	stream      grpcplugin.StreamClient
}

// output keeps what a program says.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func startProgram(t *testing.T, settings backend.DataSourceInstanceSettings) *program {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "gpx_recoup")
	if out, err := exec.Command("go", "build", "-o", binary, "recoup/dashboards/plugin/pkg").CombinedOutput(); err != nil {
		t.Fatalf("cannot build the plugin: %v\n%s", err, out)
	}
	p := &program{t: t, settings: settings, said: &output{}}
	client := goplugin.NewClient(&goplugin.ClientConfig{
		Cmd: exec.Command(binary),
		HandshakeConfig: goplugin.HandshakeConfig{ProtocolVersion: grpcplugin.ProtocolVersion,
			MagicCookieKey: grpcplugin.MagicCookieKey, MagicCookieValue: grpcplugin.MagicCookieValue},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		VersionedPlugins: map[int]goplugin.PluginSet{grpcplugin.ProtocolVersion: {"data": &grpcplugin.DataGRPCPlugin{},
			"diagnostics": &grpcplugin.DiagnosticsGRPCPlugin{}, "resource": &grpcplugin.ResourceGRPCPlugin{},
			"stream": &grpcplugin.StreamGRPCPlugin{}}},
		Logger: hclog.New(&hclog.LoggerOptions{Output: p.said, Level: hclog.Debug}),
		Stderr: p.said,
	})
	t.Cleanup(client.Kill)
	rpc, err := client.Client()
	if err != nil {
		t.Fatalf("cannot start the plugin: %v\n%s", err, p.said)
	}
	p.data = dispensed[grpcplugin.DataClient](t, rpc, "data")
	p.diagnostics = dispensed[grpcplugin.DiagnosticsClient](t, rpc, "diagnostics")
	p.resource = dispensed[grpcplugin.ResourceClient](t, rpc, "resource")
	p.stream = dispensed[grpcplugin.StreamClient](t, rpc, "stream")
	return p
}

func dispensed[T any](t *testing.T, rpc goplugin.ClientProtocol, name string) T {
	t.Helper()
	raw, err := rpc.Dispense(name)
	if err != nil {
		t.Fatal(err)
	}
	client, ok := raw.(T)
	if !ok {
		t.Fatalf("%s is a %T", name, raw)
	}
	return client
}

// who is the context of a request by somebody of a role.
func (p *program) who(role string) *pluginv2.PluginContext {
	return &pluginv2.PluginContext{OrgId: 1, PluginId: "recoup-datasource",
		User: &pluginv2.User{Login: "jane.doe", Role: role},
		DataSourceInstanceSettings: &pluginv2.DataSourceInstanceSettings{Uid: p.settings.UID,
			JsonData: p.settings.JSONData, DecryptedSecureJsonData: p.settings.DecryptedSecureJSONData, LastUpdatedMS: 1}}
}

// call calls a resource.
func (p *program) call(role, path, body string) (status int32, answer string) {
	p.t.Helper()
	stream, err := p.resource.CallResource(p.t.Context(), &pluginv2.CallResourceRequest{PluginContext: p.who(role),
		Method: "POST", Path: path, Url: path, Body: []byte(body),
		Headers: map[string]*pluginv2.StringList{"Content-Type": {Values: []string{"application/json"}}}})
	if err != nil {
		p.t.Fatal(err)
	}
	got, err := stream.Recv()
	if err != nil {
		p.t.Fatal(err)
	}
	return got.Code, string(got.Body)
}

// The binary, asked over gRPC as Grafana does: health, queries and their end, live
// cases within a second, actions that are stored, and none for a viewer.
func testBinary(t *testing.T, s *site) {
	p := startProgram(t, s.instance())
	health, err := p.diagnostics.CheckHealth(t.Context(), &pluginv2.CheckHealthRequest{PluginContext: p.who("Admin")})
	if err != nil || health.Status != pluginv2.CheckHealthResponse_OK {
		t.Fatalf("health: %v, %v", health, err)
	}
	p.cancelled(s)
	p.live(s)
	p.acknowledged(s)
}

// cancelled: the server stops a query that nobody waits for. The data source is one
// whose tables are slow: a row takes a tenth of a second.
func (p *program) cancelled(s *site) {
	t, slow := p.t, s.config.ClickHouse.Database+"_slow"
	for _, sql := range []string{"CREATE DATABASE " + slow, "CREATE VIEW " + slow + ".invoice_counts_by_day AS SELECT " +
		"'acme' AS seller, 'EUR' AS currency, sleepEachRow(0.1) AS invoices FROM numbers(600) SETTINGS max_block_size = 1"} {
		if err := s.db.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	of := *p
	of.settings.UID = "uid-slow"
	of.settings.JSONData = bytes.Replace(of.settings.JSONData, []byte(`"database":"`+s.config.ClickHouse.Database),
		[]byte(`"database":"`+slow), 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := of.data.QueryData(ctx, &pluginv2.QueryDataRequest{PluginContext: of.who("Viewer"),
			Queries: []*pluginv2.DataQuery{{RefId: "A", QueryType: "question",
				Json:      []byte(`{"question":"value_currency","filters":{"seller":"acme"}}`),
				TimeRange: &pluginv2.TimeRange{FromEpochMS: 1, ToEpochMS: 2}}}})
		ended <- err
	}()
	running := "SELECT count() > 0 FROM system.processes WHERE current_database = '" + slow + "'"
	s.await("the query runs", running)
	cancel()
	if err := <-ended; err == nil {
		t.Error("a cancelled query was answered")
	}
	took := s.await("the server stops", strings.Replace(running, "count() > 0", "count() = 0", 1))
	t.Logf("the server stopped %v after Grafana had cancelled", took.Round(time.Millisecond))
}

// live: a case is on the channel within a second of its record.
func (p *program) live(s *site) {
	t := p.t
	path := casesPath + channelName(seller)
	for role, want := range map[string]pluginv2.SubscribeStreamResponse_Status{
		"Viewer": pluginv2.SubscribeStreamResponse_OK, "None": pluginv2.SubscribeStreamResponse_PERMISSION_DENIED} {
		got, err := p.stream.SubscribeStream(t.Context(), &pluginv2.SubscribeStreamRequest{PluginContext: p.who(role),
			Path: path})
		if err != nil || got.Status != want {
			t.Errorf("a %s subscribes: %v, %v", role, got, err)
		}
	}
	if got, err := p.stream.PublishStream(t.Context(), &pluginv2.PublishStreamRequest{PluginContext: p.who("Admin"),
		Path: path}); err != nil || got.Status != pluginv2.PublishStreamResponse_PERMISSION_DENIED {
		t.Errorf("publishing: %v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := p.stream.RunStream(ctx, &pluginv2.RunStreamRequest{PluginContext: p.who("Viewer"), Path: path})
	if err != nil {
		t.Fatal(err)
	}
	frames := make(chan *data.Frame, 10)
	go func() {
		for {
			packet, err := stream.Recv()
			if err != nil {
				return
			}
			frame := &data.Frame{}
			if json.Unmarshal(packet.Data, frame) == nil {
				frames <- frame
			}
		}
	}()
	time.Sleep(3 * time.Second) // the stream begins at the end of the topic
	publish := func(of, invoiceID string) time.Time {
		c := &cases.Case{Schema: cases.Schema, CaseID: idOfCase(invoiceID), Seq: 1, Seller: of, InvoiceID: invoiceID,
			Kind: cases.KindInvoice, Action: cases.ActionOpen, Customer: "c1", Currency: "EUR", DetectedAt: now()}
		value, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		at := time.Now()
		s.send(s.config.Kafka.Topics.Cases, c.CaseID, at, value)
		return at
	}
	publish("bolt", "other")
	published := publish(seller, "live-1")
	select {
	case frame := <-frames:
		t.Logf("the case was on the channel %v after it was published", time.Since(published).Round(time.Millisecond))
		if id, _ := frame.FieldByName("invoice_id"); frame.Rows() != 1 || id == nil || id.At(0) != "live-1" {
			t.Errorf("got %d rows, %v", frame.Rows(), id)
		}
		if field, _ := frame.FieldByName("customer_ref"); field != nil {
			t.Error("the customer is on the channel")
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("no case on the channel\n%s", p.said)
	}
}

// acknowledged: what an editor does is in the table within a second, and a viewer is refused.
func (p *program) acknowledged(s *site) {
	t := p.t
	number := 130
	s.bill(number, "240.00", begun.Add(140*time.Hour))
	id := idOfCase("F-130")
	s.await("the case is stored", "SELECT count() > 0 FROM cases WHERE case_id = '"+id+"'")
	path := "cases/" + id + "/acknowledge"
	if status, answer := p.call("Viewer", path, `{"seller":"acme","event_id":"ack-0"}`); status != 403 {
		t.Errorf("a viewer: %d %s", status, answer)
	}
	began := time.Now()
	if status, answer := p.call("Editor", path, `{"seller":"acme","event_id":"ack-1"}`); status != 200 {
		t.Fatalf("an editor: %d %s\n%s", status, answer, p.said)
	}
	said := time.Since(began)
	s.await("the acknowledgement is stored", "SELECT count() = 1 FROM case_events WHERE event_id = 'ack-1'")
	t.Logf("the acknowledgement was taken after %v, in case_events after %v", said.Round(time.Millisecond),
		time.Since(began).Round(time.Millisecond))
	s.await("the viewer's click is not", "SELECT count() = 0 FROM case_events WHERE event_id = 'ack-0'")
}
