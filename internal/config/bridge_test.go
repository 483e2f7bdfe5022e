package config

import (
	"strings"
	"testing"
)

func TestValidateBridge(t *testing.T) {
	for _, test := range []struct{ path, value, field, want string }{
		{"bridge.alertmanager.urls", "localhost:9093", "", "expected an address such as https://host:port/path"},
		{"bridge.alertmanager.urls", "http://u:p@am:9093", "", "no login in an address"},
		{"bridge.webhooks.urls", "https://hooks.example", "bridge.webhooks.tls.enabled", "begins with https"},
		{"bridge.webhooks.lowest", "high", "", "expected critical, error, warning or info"},
		{"bridge.alertmanager.lowest", "", "", "expected critical, error, warning or info"},
		{"bridge.alertmanager.repeat", "1s", "", "expected 10s to 1h"},
		{"bridge.timeout", "0s", "", "expected 100ms to 5m"},
		{"bridge.grafana", "grafana", "", "expected an address such as https://host:port/path"},
		{"bridge.listen", ":8781", "", "no host means every network"},
	} {
		c := Default()
		if err := c.Set(test.path, test.value); err != nil {
			t.Errorf("Set(%s, %q): %v", test.path, test.value, err)
			continue
		}
		if test.field == "" {
			test.field = test.path
		}
		problems := c.Validate()
		if len(problems) != 1 || problems[0].Field != test.field || !strings.Contains(problems[0].Text, test.want) {
			t.Errorf("%s = %q: problems %v, want one with %q", test.path, test.value, problems, test.want)
		}
	}
}

// B10: what logs in at a receiver does not cross the network readable, unless it may.
func TestBridgeAuthorizationNeedsTLS(t *testing.T) {
	for _, c := range []struct {
		address, allowed string
		readable         bool
	}{
		{"http://am:9093", "false", true}, {"http://am:9093", "true", false}, {"http://127.0.0.1:9093", "false", false},
	} {
		_, err := Load("", []string{"RECOUP_BRIDGE_ALERTMANAGER_URLS=" + c.address,
			"RECOUP_BRIDGE_ALERTMANAGER_AUTHORIZATION=Bearer x", "RECOUP_BRIDGE_ALERTMANAGER_ALLOW_PLAINTEXT=" + c.allowed})
		refused := err != nil && strings.Contains(err.Error(), "would cross the network readable")
		if refused != c.readable || err != nil && !refused {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
