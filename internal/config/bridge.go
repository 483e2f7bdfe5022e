package config

import (
	"net/url"
	"strconv"
	"time"

	"recoup/internal/address"
)

// Bridge says whom `recoup bridge` tells of cases.
type Bridge struct {
	// Alertmanager takes cases as alerts, and pages.
	Alertmanager Alertmanager `yaml:"alertmanager"`
	// Webhooks take each alert as JSON.
	Webhooks Webhooks `yaml:"webhooks"`
	// Address of the Grafana with recoup's boards, such as https://grafana.example; alerts link to them. By default
	// none.
	Grafana string `yaml:"grafana"`
	// Language of the boards that alerts link to, en or fr. By default en.
	Language string `yaml:"language"`
	// Bounds one request to a receiver. By default 10s.
	Timeout Duration `yaml:"timeout"`
	// Address, host:port, of the bridge's own /metrics, /livez and /readyz. By default 127.0.0.1:8781.
	Listen string `yaml:"listen"`
}

// Alertmanager is a cluster of Alertmanagers, or one.
type Alertmanager struct {
	// Addresses of all members of one cluster, such as http://localhost:9093; each is told everything. By default none.
	URLs []string `yaml:"urls"`
	// Severity from which on it is told: critical, error, warning or info. By default warning.
	Lowest string `yaml:"lowest"`
	// Tells it of single invoices, too, which are worked in the case system and page nobody. By default false.
	Invoices bool `yaml:"invoices"`
	// How often open alerts are told again, 10s to 1h; they end by themselves after five times that. By default 1m.
	Repeat Duration `yaml:"repeat"`
	// The header Authorization, such as "Bearer …"; only from the environment, or from authorization_file. By default
	// none.
	Authorization Secret `yaml:"authorization,omitempty"`
	// File whose content is that header; a line end behind it is cut. By default none.
	AuthorizationFile string `yaml:"authorization_file"`
	// Permits that header without TLS to another host, which sends it readable over the network. By default false.
	AllowPlaintext bool `yaml:"allow_plaintext"`
	// Encrypts the connections: set where the addresses begin with https.
	TLS TLS `yaml:"tls"`
}

// Webhooks are addresses that take alerts as JSON.
type Webhooks struct {
	// Addresses that alerts are posted to, each in its own order. By default none.
	URLs []string `yaml:"urls"`
	// Severity from which on they are told: critical, error, warning or info. By default warning.
	Lowest string `yaml:"lowest"`
	// Tells them of single invoices, too, but for members of incidents. By default false.
	Invoices bool `yaml:"invoices"`
	// Signs each body, in the header Recoup-Signature; only from the environment, or from secret_file. By default none:
	// nothing is signed.
	Secret Secret `yaml:"secret,omitempty"`
	// File whose content is that secret; a line end behind it is cut. By default none.
	SecretFile string `yaml:"secret_file"`
	// The header Authorization, such as "Bearer …"; only from the environment, or from authorization_file. By default
	// none.
	Authorization Secret `yaml:"authorization,omitempty"`
	// File whose content is that header; a line end behind it is cut. By default none.
	AuthorizationFile string `yaml:"authorization_file"`
	// Permits that header without TLS to another host, which sends it readable over the network. By default false.
	AllowPlaintext bool `yaml:"allow_plaintext"`
	// Encrypts the connections: set where the addresses begin with https.
	TLS TLS `yaml:"tls"`
}

// defaultBridge tells nobody.
func defaultBridge() Bridge {
	return Bridge{Alertmanager: Alertmanager{URLs: []string{}, Lowest: "warning", Repeat: Duration(time.Minute)},
		Webhooks: Webhooks{URLs: []string{}, Lowest: "warning"}, Timeout: Duration(10 * time.Second),
		Language: "en", Listen: "127.0.0.1:8781"}
}

func (v *validator) bridge(b *Bridge) {
	a, w := &b.Alertmanager, &b.Webhooks
	v.oneOf("bridge.alertmanager.lowest", a.Lowest, "critical", "error", "warning", "info")
	v.oneOf("bridge.webhooks.lowest", w.Lowest, "critical", "error", "warning", "info")
	v.urls("bridge.alertmanager", a.URLs, a.TLS, a.Authorization != "" && !a.AllowPlaintext)
	v.urls("bridge.webhooks", w.URLs, w.TLS, w.Authorization != "" && !w.AllowPlaintext)
	between(v, "bridge.alertmanager.repeat", a.Repeat, Duration(10*time.Second), Duration(time.Hour))
	between(v, "bridge.timeout", b.Timeout, Duration(100*time.Millisecond), Duration(5*time.Minute))
	if b.Grafana != "" {
		v.url("bridge.grafana", b.Grafana)
	}
	v.oneOf("bridge.language", b.Language, "en", "fr")
	v.listener("bridge.listen", b.Listen)
}

// url checks an address of HTTP, and returns its parts; nil: it is none.
func (v *validator) url(path, text string) *url.URL {
	parsed, err := url.Parse(text)
	switch {
	case err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "":
		v.wrong(path, text, "expected an address such as https://host:port/path")
		return nil
	case parsed.User != nil:
		v.wrong(path, text, "no login in an address: it would appear in logs; write it to the file of authorization_file")
		return nil
	}
	return parsed
}

// urls checks the addresses of receivers; secret: what goes there is not to be read by others.
func (v *validator) urls(section string, list []string, t TLS, secret bool) {
	v.tls(section+".tls", t)
	for _, text := range list {
		parsed := v.url(section+".urls", text)
		switch encrypted := parsed != nil && parsed.Scheme == "https"; {
		case parsed == nil:
		case encrypted != t.Enabled:
			v.wrong(section+".tls.enabled", strconv.FormatBool(t.Enabled), "expected "+strconv.FormatBool(encrypted)+
				", since an address begins with "+parsed.Scheme)
		case secret && !encrypted && !address.IsLoopback(parsed.Hostname()):
			v.wrong(section+".urls", text, "the header Authorization would cross the network readable: use https, or set "+
				section+".allow_plaintext")
		}
	}
}
