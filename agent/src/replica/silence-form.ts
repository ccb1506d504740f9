const BOUNDARY = 'ai-fabric-5d1f0c7b9a3e';
const RATE_HERTZ = 16_000;
const BYTES_PER_SAMPLE = 2;

/** A multipart form that asks for the transcript of half a second of silence: the smallest real piece of work. */
export function silenceForm(model: string): { readonly contentType: string; readonly body: Buffer } {
  const part = (disposition: string): string =>
    `--${BOUNDARY}\r\ncontent-disposition: form-data; ${disposition}\r\n`;
  const head = `${part('name="model"')}\r\n${model}\r\n${part('name="file"; filename="silence.wav"')}content-type: audio/wav\r\n\r\n`;
  return {
    contentType: `multipart/form-data; boundary=${BOUNDARY}`,
    body: Buffer.concat([Buffer.from(head), silence(RATE_HERTZ / 2), Buffer.from(`\r\n--${BOUNDARY}--\r\n`)]),
  };
}

/** RIFF/WAVE, PCM, 16 bit, one channel. */
function silence(samples: number): Buffer {
  const dataBytes = samples * BYTES_PER_SAMPLE;
  const wave = Buffer.alloc(44 + dataBytes);
  wave.write('RIFF', 0);
  wave.writeUInt32LE(36 + dataBytes, 4);
  wave.write('WAVEfmt ', 8);
  wave.writeUInt32LE(16, 16);
  wave.writeUInt16LE(1, 20);
  wave.writeUInt16LE(1, 22);
  wave.writeUInt32LE(RATE_HERTZ, 24);
  wave.writeUInt32LE(RATE_HERTZ * BYTES_PER_SAMPLE, 28);
  wave.writeUInt16LE(BYTES_PER_SAMPLE, 32);
  wave.writeUInt16LE(BYTES_PER_SAMPLE * 8, 34);
  wave.write('data', 36);
  wave.writeUInt32LE(dataBytes, 40);
  return wave;
}
