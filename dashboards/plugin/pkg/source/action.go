package source

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"slices"

	"github.com/google/uuid"
	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"recoup/cases"
	"recoup/invoice"
	"recoup/pipeline"
)

// mostBody is how many bytes the body of an action may have.
const mostBody = 16 << 10

// maySee tells whether somebody of a role may look at cases, mayAct whether they may
// do something about them.
func maySee(role string) bool { return role == "Viewer" || mayAct(role) }
func mayAct(role string) bool { return role == "Editor" || role == "Admin" }

// order is what somebody wants to be noted of a case: the body of an action.
type order struct {
	Seller        string          `json:"seller"`         // whose case it is
	TrueCause     string          `json:"true_cause"`     // of confirm; by default the first cause of the case
	CorrectAmount *invoice.Amount `json:"correct_amount"` // of confirm: what should have been billed
	Amount        *invoice.Amount `json:"amount"`         // of recovered; by default what is owed
	Option        cases.Option    `json:"option"`         // of recovered; by default the one under way
	EventID       string          `json:"event_id"`       // makes a second click the same event; by default a new one
}

// act notes what somebody did with a case: the same records, checked in the same way,
// as `recoup case` writes.
func (s *Source) act(ctx context.Context, caseID, action string, req *backend.CallResourceRequest) (any, error) {
	build := actions[action]
	if build == nil {
		return nil, refuse(http.StatusNotFound, "cannot %q a case: want acknowledge, confirm, false_alarm or recovered",
			action)
	}
	o, role, err := orderOf(action, req)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.settings.timeout())
	defer cancel()
	s.acting.Lock() // a second click waits for the first, and then sees its event
	defer s.acting.Unlock()
	if s.sent.has(o.EventID) {
		return said{"Noted already."}, nil
	}
	known, err := s.caseOf(ctx, o.Seller, caseID)
	if err != nil {
		return nil, err
	}
	if known.has(o.EventID) {
		return said{"Noted already."}, nil
	}
	written, err := build(known, o, role)
	if err != nil {
		return nil, err
	}
	if err := s.write(ctx, caseID, written); err != nil {
		return nil, err
	}
	s.sent.add(o.EventID)
	return said{written.message}, nil
}

// orderOf reads what is wanted, from somebody who may want it, and from no other site:
// a form there cannot send JSON.
func orderOf(action string, req *backend.CallResourceRequest) (o *order, role string, err error) {
	user := req.PluginContext.User
	if user == nil || !mayAct(user.Role) {
		return nil, "", refuse(http.StatusForbidden, "cannot %s a case: that takes the role Editor or Admin in Grafana",
			action)
	}
	kind, _, err := mime.ParseMediaType(req.GetHTTPHeader("Content-Type"))
	switch {
	case err != nil || kind != "application/json":
		return nil, "", refuse(http.StatusUnsupportedMediaType, "cannot read the body: want Content-Type application/json")
	case len(req.Body) > mostBody:
		return nil, "", refuse(http.StatusRequestEntityTooLarge, "cannot read a body of %d bytes: want at most %d",
			len(req.Body), mostBody)
	}
	o = &order{}
	if err := json.Unmarshal(req.Body, o); err != nil {
		return nil, "", refuse(http.StatusBadRequest, "cannot read the body: %v", err)
	}
	if o.EventID == "" {
		o.EventID = uuid.NewString()
	}
	return o, user.Role, nil
}

// caseOf finds a case and what people did with it.
func (s *Source) caseOf(ctx context.Context, seller, caseID string) (*knownCase, error) {
	if seller == "" {
		return nil, refuse(http.StatusBadRequest, "cannot find case %q: seller is absent", caseID)
	}
	state, found, err := s.reader.Case(ctx, seller, caseID)
	if err != nil {
		return nil, refuse(http.StatusBadGateway, "cannot read case %q: %w", caseID, err)
	}
	if !found {
		return nil, refuse(http.StatusNotFound, "cannot find case %q of seller %q: it may not have been copied into "+
			"ClickHouse yet; try again in some seconds", caseID, seller)
	}
	life, err := s.reader.Life(ctx, caseID)
	if err != nil {
		return nil, refuse(http.StatusBadGateway, "cannot read what happened to case %q: %w", caseID, err)
	}
	return &knownCase{&state.Case, life}, nil
}

// write appends a record to its topic.
func (s *Source) write(ctx context.Context, caseID string, r *record) error {
	client, err := s.kafka(ctx)
	if err != nil {
		return err
	}
	topics := s.settings.topics()
	topic := topics.CaseEvents
	if r.recovery {
		topic = topics.Recoveries
	}
	return pipeline.Send(ctx, client.Log(), topic, caseID, r.value)
}

// mostSent bounds how many event ids are remembered; what is older is in ClickHouse.
const mostSent = 1024

// recent is the event ids that were written last, which ClickHouse may not have yet.
// Its owner guards it.
type recent []string

func (r recent) has(id string) bool { return slices.Contains(r, id) }

func (r *recent) add(id string) {
	if len(*r) == mostSent {
		*r = slices.Delete(*r, 0, mostSent/2)
	}
	*r = append(*r, id)
}
