export { makeSelfSigned } from '../certificate/make-self-signed.js';
export type { RequestRow } from '../registry/request-types.js';
export type {
  Claim,
  HeldRequest,
  RouteRequest,
  WaitDecision,
} from '../router/route-types.js';
export { HistoryStage, writeHostHistory } from './history-stage.js';
export { fillRequestLog, RequestLogStage } from './request-log-stage.js';
export { RouterStage } from './router-stage.js';
export { type HistoryVerdict, runWakeHistory } from './wake-histories.js';
