export { HistoryStage, writeHostHistory } from './history-stage.js';
