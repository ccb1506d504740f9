export { HistoryStage, writeHostHistory } from './history-stage.js';
export type { RequestRow } from '../registry/request-types.js';
export { fillRequestLog, RequestLogStage } from './request-log-stage.js';
