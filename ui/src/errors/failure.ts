/** What went wrong, with the machine's word for it and the sentences for people. */
export class Failure extends Error {
  readonly code: string;
  readonly help: string | null;
  readonly field: string | null;

  constructor(code: string, message: string, help: string | null = null, field: string | null = null) {
    super(message);
    this.name = 'Failure';
    this.code = code;
    this.help = help;
    this.field = field;
  }

  /** What happened and what to do, as sentences. */
  get sentences(): string {
    return [this.message, this.help]
      .filter((part) => part !== null && part !== '')
      .map(withStop)
      .join(' ');
  }
}

function withStop(part: string | null): string {
  const said = part ?? '';
  return /[.!?…:]$/.test(said) ? said : `${said}.`;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Reads `{"error":{code,message,help,field}}`, its inside alone, or the same as JSON text. Null when it is none. */
export function failureFromBody(body: unknown): Failure | null {
  if (typeof body === 'string') {
    try {
      return failureFromBody(JSON.parse(body));
    } catch {
      return null;
    }
  }
  if (typeof body !== 'object' || body === null) return null;
  const inner = 'error' in body ? (body as { error: unknown }).error : body;
  if (typeof inner !== 'object' || inner === null) return null;
  const { code, message, help, field } = inner as Record<string, unknown>;
  if (typeof code !== 'string') return null;
  return new Failure(code, text(message) ?? code, text(help), text(field));
}

/** Any thrown thing as a Failure. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  if (thrown instanceof DOMException && thrown.name === 'AbortError') return new Failure('aborted', 'Cancelled.');
  const read = failureFromBody(thrown);
  if (read) return read;
  if (thrown instanceof Error) return new Failure('unexpected', thrown.message);
  return new Failure('unexpected', String(thrown));
}
