import { z } from 'zod';
import { type EngineExchange, readJson, sendJson, sendNothing } from './exchange.js';
import { imageBytes, imageDigest, imageId } from './image-store.js';
import { EngineRefusal } from './options.js';

const volumeSchema = z.object({ Name: z.string(), Labels: z.record(z.string(), z.string()).nullish() });

export function answerImage(exchange: EngineExchange): void {
  const reference = exchange.caught[0] ?? '';
  const image = exchange.engine.images.find(reference);
  if (image === undefined) throw new EngineRefusal(404, `No such image: ${reference}`);
  const repository = image.reference.slice(0, image.reference.lastIndexOf(':'));
  sendJson(exchange, 200, {
    Id: imageId(image),
    RepoTags: [image.reference],
    RepoDigests: [`${repository}@${imageDigest(image)}`],
    Size: imageBytes(image),
  });
}

export function answerVolumes(exchange: EngineExchange): void {
  const volumes = [...exchange.engine.volumes.values()];
  sendJson(exchange, 200, {
    Volumes: volumes.map(({ name, labels }) => ({ Name: name, Labels: labels })),
    Warnings: [],
  });
}

export function answerVolume(exchange: EngineExchange): void {
  const volume = exchange.engine.volumes.get(exchange.caught[0] ?? '');
  if (volume === undefined) throw new EngineRefusal(404, `get ${exchange.caught[0]}: no such volume`);
  sendJson(exchange, 200, { Name: volume.name, Labels: volume.labels });
}

export function answerCreateVolume(exchange: EngineExchange): void {
  const { Name, Labels } = volumeSchema.parse(readJson(exchange));
  const { name, labels } = exchange.engine.ensureVolume(Name, Labels ?? {});
  sendJson(exchange, 201, { Name: name, Labels: labels });
}

export function answerRemoveVolume(exchange: EngineExchange): void {
  exchange.engine.removeVolume(exchange.caught[0] ?? '');
  sendNothing(exchange, 204);
}
