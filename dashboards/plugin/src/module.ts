import { DataSourcePlugin } from '@grafana/data';

import { RecoupDatasource } from './datasource';
import { ConfigEditor } from './editors/ConfigEditor';
import { QueryEditor } from './editors/QueryEditor';
import type { RecoupQuery } from './query';
import type { Secrets, Settings } from './settings';

export const plugin = new DataSourcePlugin<RecoupDatasource, RecoupQuery, Settings, Secrets>(RecoupDatasource)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor);
