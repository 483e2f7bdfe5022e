import type { AnnotationQuery, AnnotationSupport, QueryEditorProps } from '@grafana/data';
import { Stack } from '@grafana/ui';
import React from 'react';

import type { RecoupDatasource } from '../datasource';
import { eventKinds, type RecoupQuery, specials, valuesOf, withFilter } from '../query';
import type { Settings } from '../settings';
import { FilterField } from './FilterField';
import { useLanguage } from './language';

type Props = QueryEditorProps<RecoupDatasource, RecoupQuery, Settings> & {
  annotation?: AnnotationQuery<RecoupQuery>;
  onAnnotationChange?: (annotation: AnnotationQuery<RecoupQuery>) => void;
};

/** A fresh annotation marks everything there is. */
const fresh: RecoupQuery = { refId: 'Anno', queryType: 'annotations', filters: { kinds: [...eventKinds] } };

/** AnnotationEditor chooses which events are marked on the graphs of a dashboard. */
export function AnnotationEditor({ datasource, annotation, onAnnotationChange }: Props): React.JSX.Element {
  const { say } = useLanguage();
  const query = annotation?.target ?? fresh;
  return (
    <Stack direction="column" gap={1}>
      <p>{say('annotationsHelp')}</p>
      <Stack gap={2} wrap="wrap">
        {specials['annotations']!.optional.map((filter) => (
          <FilterField
            key={filter}
            datasource={datasource}
            filter={filter}
            values={valuesOf(query, filter)}
            onChange={(values) =>
              annotation && onAnnotationChange?.({ ...annotation, target: withFilter(query, filter, values) })
            }
            required={false}
          />
        ))}
      </Stack>
    </Stack>
  );
}

/** annotations tells Grafana how this data source marks events. */
export const annotations: AnnotationSupport<RecoupQuery> = {
  QueryEditor: AnnotationEditor,
  getDefaultQuery: () => fresh,
  prepareAnnotation: (saved) => ({ ...saved, target: saved.target?.queryType ? saved.target : fresh }),
};
