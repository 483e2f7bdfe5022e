package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"recoup/internal/build"
)

// Options say what is served and where.
type Options struct {
	// Listen is the address of /metrics, /livez and /readyz.
	Listen string
	// Pprof is the address of /debug/pprof/; "" serves no profiles.
	Pprof string
	// Registry holds the metrics; see NewRegistry.
	Registry *prometheus.Registry
	// Health answers /readyz.
	Health *Health
	// Log receives what the servers themselves complain of.
	Log *slog.Logger
}

// Server serves metrics and health, and profiles on a port of their own.
type Server struct {
	servers   []*http.Server
	listeners []net.Listener
	failed    chan error
}

// NewRegistry returns a registry with the metrics of the process, of Go, of
// the build and of the parts' health.
func NewRegistry(h *Health) *prometheus.Registry {
	reg := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "recoup_build_info", Help: "1; the labels say what runs.", ConstLabels: buildLabels(),
	})
	build.Set(1)
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		newReadiness(h), build)
	return reg
}

func buildLabels() prometheus.Labels {
	b := build.Read()
	return prometheus.Labels{"version": b.Version, "revision": b.Revision, "go": b.Go}
}

// Start listens and serves until Stop. An address that cannot be listened on is
// an error here, not later.
func Start(o Options) (*Server, error) {
	s := &Server{failed: make(chan error, 2)}
	if err := s.serve("http.listen", o.Listen, handler(o), o.Log); err != nil {
		return nil, err
	}
	if o.Pprof == "" {
		return s, nil
	}
	if err := s.serve("pprof.listen", o.Pprof, profiles(), o.Log); err != nil {
		s.Stop(context.Background())
		return nil, err
	}
	return s, nil
}

func (s *Server) serve(setting, address string, h http.Handler, log *slog.Logger) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("cannot listen on %s %q: %w; stop what uses the port or choose another", setting, address, err)
	}
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      2 * time.Minute, // a CPU profile takes 30 s by default
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	s.servers, s.listeners = append(s.servers, server), append(s.listeners, listener)
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("cannot serve %s %q any longer: %w", setting, address, err)
		}
	}()
	return nil
}

// Address returns where /metrics is served: the port that was given for port 0.
func (s *Server) Address() string { return s.listeners[0].Addr().String() }

// PprofAddress returns where profiles are served; "" when they are not.
func (s *Server) PprofAddress() string {
	if len(s.listeners) < 2 {
		return ""
	}
	return s.listeners[1].Addr().String()
}

// Failed delivers an error when a server ends without Stop.
func (s *Server) Failed() <-chan error { return s.failed }

// Stop ends the servers once their requests are answered, or when ctx ends.
func (s *Server) Stop(ctx context.Context) error {
	var all error
	for _, server := range s.servers {
		if err := server.Shutdown(ctx); err != nil {
			server.Close()
			all = errors.Join(all, fmt.Errorf("cannot stop serving HTTP cleanly: %w", err))
		}
	}
	return all
}

// handler serves metrics and health.
func handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.Registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn), EnableOpenMetrics: true}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answer(w, true, nil) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		states, ready := o.Health.States()
		answer(w, ready, states)
	})
	return mux
}

// answer writes a state as JSON: 200 when ok, else 503.
func answer(w http.ResponseWriter, ok bool, parts []PartState) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	// A client that went away is no news.
	_ = json.NewEncoder(w).Encode(struct {
		OK    bool        `json:"ok"`
		Parts []PartState `json:"parts,omitempty"`
	}{ok, parts})
}

// profiles serves Go's profiles under their usual paths.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}
