package dashboards

import "recoup/dashboards/question"

// What follows is the part of Grafana's dashboard model (schema version 41, Grafana
// 11.6 and later) that the boards use, named as the JSON names it.

const schemaVersion = 41

type dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	Editable      bool        `json:"editable"`
	GraphTooltip  int         `json:"graphTooltip"` // 1: one crosshair in all panels
	SchemaVersion int         `json:"schemaVersion"`
	Version       int         `json:"version"`
	Timezone      string      `json:"timezone"`
	Refresh       string      `json:"refresh"`
	Time          timeRange   `json:"time"`
	Links         []boardLink `json:"links"`
	Templating    templating  `json:"templating"`
	Annotations   annotations `json:"annotations"`
	Panels        []panel     `json:"panels"`
}

type timeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type boardLink struct {
	AsDropdown  bool     `json:"asDropdown"`
	Icon        string   `json:"icon"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
	Tags        []string `json:"tags"`
	TargetBlank bool     `json:"targetBlank"`
	Title       string   `json:"title"`
	Tooltip     string   `json:"tooltip"`
	Type        string   `json:"type"`
	URL         string   `json:"url"`
}

type templating struct {
	List []variable `json:"list"`
}

type variable struct {
	Name        string     `json:"name"`
	Label       string     `json:"label"`
	Description string     `json:"description"`
	Type        string     `json:"type"` // datasource, query or textbox
	Hide        int        `json:"hide"`
	Datasource  *sourceRef `json:"datasource,omitempty"`
	Query       any        `json:"query"`
	Current     *choice    `json:"current,omitempty"`
	Options     []choice   `json:"options"`
	Regex       string     `json:"regex"`
	Refresh     int        `json:"refresh,omitempty"` // 1: when the board loads
	Sort        int        `json:"sort"`
	Multi       bool       `json:"multi"`
	IncludeAll  bool       `json:"includeAll"`
	AllValue    string     `json:"allValue,omitempty"`
	SkipURLSync bool       `json:"skipUrlSync"`
}

type choice struct {
	Selected bool   `json:"selected"`
	Text     string `json:"text"`
	Value    string `json:"value"`
}

type sourceRef struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type annotations struct {
	List []annotation `json:"list"`
}

type annotation struct {
	Name       string    `json:"name"`
	Datasource sourceRef `json:"datasource"`
	Enable     bool      `json:"enable"`
	Hide       bool      `json:"hide"`
	IconColor  string    `json:"iconColor"`
	Type       string    `json:"type,omitempty"`
	BuiltIn    int       `json:"builtIn,omitempty"`
	Target     any       `json:"target,omitempty"`
}

type panel struct {
	ID              int              `json:"id"`
	Type            string           `json:"type"`
	Title           string           `json:"title"`
	Description     string           `json:"description,omitempty"`
	Links           []boardLink      `json:"links,omitempty"`
	GridPos         gridPos          `json:"gridPos"`
	Collapsed       *bool            `json:"collapsed,omitempty"` // of rows
	Panels          []panel          `json:"panels,omitzero"`     // of rows
	Datasource      *sourceRef       `json:"datasource,omitempty"`
	Targets         []any            `json:"targets,omitempty"`
	FieldConfig     *fieldConfig     `json:"fieldConfig,omitempty"`
	Options         map[string]any   `json:"options,omitempty"`
	Transformations []transformation `json:"transformations,omitempty"`
}

type gridPos struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

// sqlTarget is a query of the stock ClickHouse source, promTarget one of
// Prometheus, recoupTarget one of the plugin.
type sqlTarget struct {
	RefID         string    `json:"refId"`
	Datasource    sourceRef `json:"datasource"`
	EditorType    string    `json:"editorType"`
	Format        int       `json:"format"` // 0 time series, 1 table
	QueryType     string    `json:"queryType"`
	RawSQL        string    `json:"rawSql"`
	PluginVersion string    `json:"pluginVersion"`
}

type promTarget struct {
	RefID        string    `json:"refId"`
	Datasource   sourceRef `json:"datasource"`
	EditorMode   string    `json:"editorMode"`
	Expr         string    `json:"expr"`
	LegendFormat string    `json:"legendFormat"`
	Range        bool      `json:"range"`
	Instant      bool      `json:"instant"`
}

type recoupTarget struct {
	RefID      string         `json:"refId"`
	Datasource sourceRef      `json:"datasource"`
	QueryType  string         `json:"queryType"`
	Question   string         `json:"question,omitempty"`
	Filter     string         `json:"filter,omitempty"` // of query type values
	Filters    map[string]any `json:"filters,omitempty"`
	Limit      int            `json:"limit,omitempty"`
	Lang       question.Lang  `json:"lang,omitempty"` // of what the answer says
}

type fieldConfig struct {
	Defaults  fieldDefaults `json:"defaults"`
	Overrides []override    `json:"overrides"`
}

type fieldDefaults struct {
	Unit       string         `json:"unit,omitempty"`
	Decimals   *int           `json:"decimals,omitempty"`
	NoValue    string         `json:"noValue"`
	Color      map[string]any `json:"color"`
	Mappings   []mapping      `json:"mappings"`
	Thresholds thresholds     `json:"thresholds"`
	Custom     map[string]any `json:"custom,omitempty"`
}

type thresholds struct {
	Mode  string `json:"mode"`
	Steps []step `json:"steps"`
}

type step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"` // null: the lowest
}

type override struct {
	Matcher    matcher    `json:"matcher"`
	Properties []property `json:"properties"`
}

type matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

type property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

type mapping struct {
	Type    string            `json:"type"` // value
	Options map[string]mapped `json:"options"`
}

type mapped struct {
	Text  string `json:"text"`
	Index int    `json:"index"`
}

type transformation struct {
	ID      string         `json:"id"`
	Options map[string]any `json:"options"`
}

type fieldLink struct {
	Title       string `json:"title"`
	URL         string `json:"url"`
	TargetBlank bool   `json:"targetBlank"`
}
