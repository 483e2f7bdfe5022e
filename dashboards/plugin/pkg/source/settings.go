package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"recoup/dashboards/question"
	"recoup/internal/config"
	"recoup/internal/kafka"
	"recoup/internal/tlsfile"
	"recoup/sinks"
)

// settings are what an administrator sets of one data source (jsonData).
type settings struct {
	// ClickHouse holds the tables. Only its address is required.
	ClickHouse struct {
		Address  string   `json:"address"`  // host:port of the native protocol
		Database string   `json:"database"` // by default recoup
		Username string   `json:"username"` // by default default; one that may only read is enough
		TLS      tlsField `json:"tls"`      // by default off
	} `json:"clickhouse"`
	// Kafka carries live cases, baselines and actions. Without brokers there are none of them.
	Kafka struct {
		Brokers     []string `json:"brokers"`     // host:port of some
		TopicPrefix string   `json:"topicPrefix"` // before every topic's default name; by default none
		Group       string   `json:"group"`       // consumer group of recoup, whose lag is shown; by default recoup
		SASL        struct {
			Mechanism string `json:"mechanism"` // "", PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512
			Username  string `json:"username"`  // of the login
		} `json:"sasl"`
		TLS tlsField `json:"tls"` // by default off
	} `json:"kafka"`
	RowLimit       int    `json:"rowLimit"`       // rows one query may bring, 1 to 10,000; by default 5,000
	TimeoutSeconds int    `json:"timeoutSeconds"` // that a query may take, 1 to 300; by default 30
	DefaultSeller  string `json:"defaultSeller"`  // of queries that name none; by default none

	secrets map[string]string // secureJsonData, decrypted; never to be shown
}

// tlsField encrypts connections. Certificates are in secureJsonData: tlsCa,
// tlsClientCert and tlsClientKey, as PEM text and for both servers.
type tlsField struct {
	Enabled    bool   `json:"enabled"`    // encrypt
	ServerName string `json:"serverName"` // that the certificate must carry; by default the host that is dialled
	SkipVerify bool   `json:"skipVerify"` // refused: the certificate is always checked
}

// Bounds and defaults of the settings.
const (
	usualRows    = 5_000
	usualTimeout = 30
	mostTimeout  = 300
	// mostDial bounds opening a connection to ClickHouse, which whoever stops waiting does not stop.
	mostDial = 5 * time.Second
)

// parseSettings reads and checks what can be checked without a server. Its error
// names the field and the fix, and holds no secret.
func parseSettings(in backend.DataSourceInstanceSettings) (*settings, error) {
	s := &settings{secrets: in.DecryptedSecureJSONData}
	decoder := json.NewDecoder(bytes.NewReader(in.JSONData))
	if err := decoder.Decode(s); err != nil {
		return s, fmt.Errorf("cannot read the settings of the data source: %w; save them again on its page", err)
	}
	if err := s.onlyKnown(in.JSONData); err != nil {
		return s, err
	}
	s.Kafka.Brokers = parted(s.Kafka.Brokers)
	if s.RowLimit == 0 {
		s.RowLimit = usualRows
	}
	if s.TimeoutSeconds == 0 {
		s.TimeoutSeconds = usualTimeout
	}
	if s.Kafka.Group == "" {
		s.Kafka.Group = config.Default().Kafka.Group
	}
	switch {
	case s.ClickHouse.Address == "":
		return s, errors.New("cannot reach ClickHouse: clickhouse.address is empty; give host:port of the native " +
			"protocol, such as localhost:9000")
	case s.RowLimit < 1 || s.RowLimit > question.MaxLimit:
		return s, fmt.Errorf("cannot use rowLimit %d: want 1 to %d", s.RowLimit, question.MaxLimit)
	case s.TimeoutSeconds < 1 || s.TimeoutSeconds > mostTimeout:
		return s, fmt.Errorf("cannot use timeoutSeconds %d: want 1 to %d", s.TimeoutSeconds, mostTimeout)
	case s.ClickHouse.TLS.SkipVerify || s.Kafka.TLS.SkipVerify:
		return s, errors.New("cannot use tls.skipVerify: the server's certificate is always checked; give the " +
			"certificate of its authority as tlsCa")
	}
	return s, nil
}

// onlyKnown refuses what is misspelt of the two servers, where the default would hold
// instead. Beside them Grafana keeps settings of its own.
func (s *settings) onlyKnown(text []byte) error {
	var written struct{ ClickHouse, Kafka json.RawMessage }
	if err := json.Unmarshal(text, &written); err != nil {
		return err
	}
	for _, server := range []struct {
		name string
		text []byte
		into any
	}{{"clickhouse", written.ClickHouse, &s.ClickHouse}, {"kafka", written.Kafka, &s.Kafka}} {
		decoder := json.NewDecoder(bytes.NewReader(server.text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(server.into); err != nil && len(server.text) > 0 {
			return fmt.Errorf("cannot read %s of the settings of the data source: %w; take it out, or write it as the docs do",
				server.name, err)
		}
	}
	return nil
}

// parted parts addresses that stand in one text with commas between, as a variable of
// the environment has them; one that is not set is no address.
func parted(addresses []string) []string {
	var list []string
	for one := range strings.SplitSeq(strings.Join(addresses, ","), ",") {
		if one = strings.TrimSpace(one); one != "" {
			list = append(list, one)
		}
	}
	return list
}

// timeout bounds one query.
func (s *settings) timeout() time.Duration { return time.Duration(s.TimeoutSeconds) * time.Second }

// tls returns how one server's connections are encrypted.
func (s *settings) tls(f tlsField) tlsfile.Settings {
	if !f.Enabled {
		return tlsfile.Settings{}
	}
	return tlsfile.Settings{Enabled: true, ServerName: f.ServerName, CA: s.secrets["tlsCa"],
		Cert: s.secrets["tlsClientCert"], Key: s.secrets["tlsClientKey"]}
}

// clickHouse returns how to reach ClickHouse.
func (s *settings) clickHouse() sinks.Settings {
	return sinks.Settings{Addresses: []string{s.ClickHouse.Address}, Database: s.ClickHouse.Database,
		User: s.ClickHouse.Username, Password: s.secrets["clickhousePassword"], TLS: s.tls(s.ClickHouse.TLS),
		QueryTimeout: s.timeout(), DialTimeout: min(s.timeout(), mostDial)}
}

// kafka returns how to reach Kafka.
func (s *settings) kafka() kafka.Settings {
	return kafka.Settings{Brokers: s.Kafka.Brokers, ClientID: "recoup-grafana", TLS: s.tls(s.Kafka.TLS),
		SASL: kafka.SASL{Mechanism: s.Kafka.SASL.Mechanism, Username: s.Kafka.SASL.Username,
			Password: s.secrets["kafkaPassword"]}}
}

// topics are the names of recoup's topics.
func (s *settings) topics() config.Topics {
	t := config.Default().Kafka.Topics
	for _, name := range []*string{&t.Invoices, &t.Cases, &t.CaseEvents, &t.Recoveries, &t.Baselines} {
		*name = s.Kafka.TopicPrefix + *name
	}
	return t
}

// fieldNames says of messages that name recoup's own settings what they are called here.
var fieldNames = strings.NewReplacer("tls.ca_file", "tlsCa", "tls.cert_file", "tlsClientCert", "tls.key_file",
	"tlsClientKey", "tls.server_name", "tls.serverName", "sasl.password", "kafkaPassword", "sasl.username",
	"kafka.sasl.username", "sasl.mechanism", "kafka.sasl.mechanism", "clickhouse.user and its password",
	"clickhouse.username and clickhousePassword", "set tls.enabled, use SCRAM-SHA-512, or allow it with "+
		"sasl.allow_plaintext", "set kafka.tls.enabled or use SCRAM-SHA-512")
