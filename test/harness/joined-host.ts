import { LightHost } from './light-host.js';

export interface HostOptions {
  readonly name: string;
}

interface JoinOptions extends HostOptions {
  readonly tlsUrl: string;
  readonly joinToken: string;
  readonly engines?: Readonly<Record<string, unknown>>;
}

/** A host that has joined a fabric. */
export class JoinedHost {
  readonly #light: LightHost;
  private constructor(light: LightHost) {
    this.#light = light;
  }

  static async join(options: JoinOptions): Promise<JoinedHost> {
    const light = new LightHost(options);
    await light.link();
    light.serve(...Object.keys(options.engines ?? {}));
    return new JoinedHost(light);
  }

  leave(): Promise<void> {
    return this.#light.close();
  }
}
