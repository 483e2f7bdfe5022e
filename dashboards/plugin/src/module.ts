import { DataSourcePlugin } from '@grafana/data';

import { RecoupDatasource } from './datasource';
import { annotations } from './editors/AnnotationEditor';
import { ConfigEditor } from './editors/ConfigEditor';
import { QueryEditor } from './editors/QueryEditor';
import { Variables } from './editors/VariableEditor';
import type { RecoupQuery } from './query';
import type { Secrets, Settings } from './settings';

/** The data source with its editors, which know it and not the other way round. */
class EditedDatasource extends RecoupDatasource {
  override annotations = annotations;
  override variables = new Variables(this);
}

export const plugin = new DataSourcePlugin<RecoupDatasource, RecoupQuery, Settings, Secrets>(EditedDatasource)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor);
