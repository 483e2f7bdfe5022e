package source

import (
	"net/http"
	"net/url"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

// maySee tells whether somebody of a role may look at cases, mayAct whether at all.
func maySee(role string) bool { return role == "Viewer" || mayAct(role) }
func mayAct(role string) bool { return role == "Editor" || role == "Admin" }

// queryOf reads the parameters behind the path.
func queryOf(req *backend.CallResourceRequest) (url.Values, error) {
	address, err := url.Parse(req.URL)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "cannot read the address %q", req.URL)
	}
	return address.Query(), nil
}
