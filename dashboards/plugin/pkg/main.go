// Command gpx_recoup is the backend of Grafana's data source for recoup. Grafana
// starts it and talks to it over gRPC.
package main

import (
	"os"

	"github.com/grafana/grafana-plugin-sdk-go/backend/datasource"
	"github.com/grafana/grafana-plugin-sdk-go/backend/log"

	"recoup/dashboards/plugin/pkg/source"
)

// pluginID is that of plugin.json.
const pluginID = "recoup-datasource"

func main() {
	if err := datasource.Manage(pluginID, source.New, datasource.ManageOpts{}); err != nil {
		log.DefaultLogger.Error("cannot serve the data source", "error", err)
		os.Exit(1)
	}
}
