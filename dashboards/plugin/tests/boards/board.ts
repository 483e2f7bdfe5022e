import type * as schema from '@grafana/schema';
import type * as bars from '@grafana/schema/dist/esm/raw/composable/barchart/panelcfg/x/BarChartPanelCfg_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as text from '@grafana/schema/dist/esm/raw/composable/text/panelcfg/x/TextPanelCfg_types.gen';
import type * as series from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import type * as trend from '@grafana/schema/dist/esm/raw/composable/trend/panelcfg/x/TrendPanelCfg_types.gen';

import type { RecoupQuery } from '../../src/query';

/** As written in JSON: enums of texts are texts. */
type Plain<T> = T extends string
  ? `${T}`
  : T extends ReadonlyArray<infer Item>
    ? Array<Plain<Item>>
    : T extends object
      ? { [Key in keyof T]: Plain<T[Key]> }
      : T;

/** The same where Grafana fills in what is left out. */
type Sparse<T> = T extends string
  ? `${T}`
  : T extends ReadonlyArray<infer Item>
    ? Array<Sparse<Item>>
    : T extends object
      ? { [Key in keyof T]?: Sparse<T[Key]> }
      : T;

/** What a panel or an annotation asks of the stock sources. */
type StockQuery = { refId: string; datasource: schema.DataSourceRef } & (
  | { expr: string; instant: boolean; range: boolean; legendFormat: string; editorMode: 'code' | 'builder' }
  | { rawSql: string; format: number; queryType: string; editorType: string; pluginVersion: string }
);

type Query = StockQuery | Plain<RecoupQuery>;

/** A panel of one type, whose options and styles are known. */
type PanelOf<Type extends string, Options, Styles> = Plain<
  Omit<schema.Panel, 'type' | 'options' | 'fieldConfig' | 'targets' | 'transformations'>
> & {
  type: Type;
  options?: Sparse<Options>;
  fieldConfig?: {
    defaults: Plain<Omit<schema.FieldConfig, 'custom'>> & { custom?: Sparse<Styles> };
    overrides: Plain<schema.FieldConfigSource['overrides']>;
  };
  targets?: Query[];
  transformations?: Array<{ id: string; options: Record<string, unknown> }>;
};

type PanelOnBoard =
  | PanelOf<'barchart', bars.Options, bars.FieldConfig>
  | PanelOf<'stat', stat.Options, never>
  | PanelOf<'table', table.Options, schema.TableFieldOptions>
  | PanelOf<'text', text.Options, never>
  | PanelOf<'timeseries', series.Options, series.FieldConfig>
  | PanelOf<'trend', trend.Options, trend.FieldConfig>;

type RowOnBoard = Plain<Omit<schema.RowPanel, 'panels' | 'type'>> & { type: 'row'; panels: PanelOnBoard[] };

/** Board is @grafana/schema's Dashboard in JSON, with the options of each panel type we draw spelled out. */
export type Board = Plain<Omit<schema.Dashboard, 'panels' | 'annotations'>> & {
  panels: Array<PanelOnBoard | RowOnBoard>;
  annotations: { list: Array<Plain<schema.AnnotationQuery<Query>>> };
};
