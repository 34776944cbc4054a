import { until } from './program.ts';

/** What the tests read of a printer; the whole of it is in the server's OpenAPI. */
export interface Printer {
  uuid: string;
  name: string;
  online: boolean;
  status: string;
  stale: boolean;
  attention: string[];
  state: { text: string };
  progress: { completion: number | null; print_time: number | null; time_left: number | null };
  job: { id?: string; file: { name: string } | null } | null;
  last_job: { id: string; file_name: string; result: string } | null;
  temperatures: Record<string, { actual: number; target: number }>;
  workspace: { id: string };
}

export interface PrinterEvent {
  id: string;
  type: string;
  epoch?: string;
  seq?: number;
  job?: string;
}

export interface Job {
  id: string;
  file_name: string;
  result?: string;
  ended_at?: string;
}

/** FACTOR's API with a token, as other programs use it. */
export class Api {
  constructor(
    readonly url: string,
    readonly token: string,
  ) {}

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return (text ? JSON.parse(text) : undefined) as T;
  }

  async printers(): Promise<Printer[]> {
    return (await this.call<{ items: Printer[] }>('GET', '/printers')).items;
  }

  printer(uuid: string): Promise<Printer> {
    return this.call('GET', `/printers/${uuid}`);
  }

  /** Everything that has happened, oldest first. */
  async events(uuid: string): Promise<PrinterEvent[]> {
    return (await this.call<{ items: PrinterEvent[] }>('GET', `/printers/${uuid}/events?limit=200`)).items.reverse();
  }

  /** The same, once one of this type is among them. */
  eventsUntil(uuid: string, type: string): Promise<PrinterEvent[]> {
    return until(`event ${type}`, async () => {
      const all = await this.events(uuid);
      return all.some((event) => event.type === type) ? all : undefined;
    });
  }

  async jobs(uuid: string): Promise<Job[]> {
    return (await this.call<{ items: Job[] }>('GET', `/printers/${uuid}/jobs`)).items;
  }
}
