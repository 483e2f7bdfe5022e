import {
  type DataQueryRequest,
  type DataQueryResponse,
  type DataSourceInstanceSettings,
  type MetricFindValue,
  type ScopedVars,
  StreamingFrameAction,
} from '@grafana/data';
import { DataSourceWithBackend, getTemplateSrv } from '@grafana/runtime';
import type { Observable } from 'rxjs';

import type { Question, Value } from './catalogue';
import { apart } from './live';
import { eventKinds, interpolate, type RecoupQuery, runnable, valuesOf } from './query';
import { readersLanguage } from './reader';
import type { Settings } from './settings';
import { words } from './words';

/** Live cases that a panel keeps on screen, newest last. */
const keptCases = 500;

/** RecoupDatasource asks recoup's backend; it holds no logic that an alert rule would miss. */
export class RecoupDatasource extends DataSourceWithBackend<RecoupQuery, Settings> {
  readonly #seller: string | undefined;
  #questions: Promise<Question[]> | undefined;

  constructor(instance: DataSourceInstanceSettings<Settings>) {
    super(instance);
    this.#seller = instance.jsonData.defaultSeller || undefined;
    this.streamOptionsProvider = () => ({
      action: StreamingFrameAction.Append,
      maxLength: keptCases,
    });
  }

  override getDefaultQuery(): Partial<RecoupQuery> {
    const seller = this.usual('seller');
    return { queryType: 'question', question: 'error_rate', filters: seller ? { seller } : {} };
  }

  override query(request: DataQueryRequest<RecoupQuery>): Observable<DataQueryResponse> {
    return apart(request, (part) => super.query(part));
  }

  override filterQuery(query: RecoupQuery): boolean {
    return runnable(query);
  }

  override applyTemplateVariables(query: RecoupQuery, scoped: ScopedVars): RecoupQuery {
    const filled = interpolate(query, (text, join) => getTemplateSrv().replace(text, scoped, join));
    return { ...filled, lang: query.lang ?? readersLanguage() };
  }

  /** Values of a filter, for variables of dashboards. */
  override async metricFindQuery(
    query: RecoupQuery,
    options?: { scopedVars?: ScopedVars },
  ): Promise<MetricFindValue[]> {
    if (!query.filter) {
      return [];
    }
    const asked = this.applyTemplateVariables(query, options?.scopedVars ?? {});
    const values = await this.values(query.filter, valuesOf(asked, 'seller')[0]);
    return values.map(({ value, text }) => ({ text: text ?? value, value }));
  }

  /** Everything that can be asked. Read once: the backend's answer never changes while it runs. */
  questions(): Promise<Question[]> {
    this.#questions ??= this.getResource<Question[]>('questions').catch((error: unknown) => {
      this.#questions = undefined; // the next editor tries again
      throw error;
    });
    return this.#questions;
  }

  /** Values that a filter can take, of one seller where it depends on it. */
  async values(filter: string, seller?: string): Promise<Value[]> {
    if (filter === 'kinds') {
      return eventKinds.map((kind) => ({ value: kind, text: words[kind][readersLanguage()] }));
    }
    const asked = seller === undefined ? undefined : this.resolve(seller);
    return this.getResource<Value[]>(`values/${encodeURIComponent(filter)}`, asked ? { seller: asked } : undefined);
  }

  /** Writes an action on a case; the backend refuses viewers. Returns what it did, in words. */
  async act(caseId: string, action: string, body: Record<string, unknown>): Promise<string> {
    const answer = await this.postResource<{ message?: string }>(
      `cases/${encodeURIComponent(caseId)}/${encodeURIComponent(action)}`,
      { ...body, lang: readersLanguage() },
      { showErrorAlert: false },
    );
    return answer?.message ?? '';
  }

  /** The text with the dashboard's variables replaced. */
  resolve(text: string): string {
    return getTemplateSrv().replace(text);
  }

  /** What a filter is set to until somebody chooses: the dashboard's variable of its name, or the usual seller. */
  usual(filter: string): string | undefined {
    return this.variableNames().includes(filter) ? `$${filter}` : filter === 'seller' ? this.#seller : undefined;
  }

  /** Names of the variables that the dashboard has. */
  variableNames(): string[] {
    return getTemplateSrv()
      .getVariables()
      .map(({ name }) => name);
  }
}
