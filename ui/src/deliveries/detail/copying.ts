import { asFailure } from '../../errors/failure';
import { utf8 } from '../../format/bytes';
import { bytesExact } from '../../format/size';
import type { Attempt, DeliveryDetail } from '../../host/types';
import { readCollection, readDetail } from '../../store/read';
import type { Session } from '../../store/session.svelte';
import { curl, fetchCall, INLINE_BYTES_MAX, rawHttp, targetUrl, type WrittenRequest } from './copyAs';

export type CopyForm = 'curl' | 'raw' | 'fetch' | 'json' | 'body';

const NAMES: Record<CopyForm, string> = {
  curl: 'curl command',
  raw: 'Raw HTTP',
  fetch: 'fetch call',
  json: 'JSON',
  body: 'Body',
};

/** Where it was sent last, else where the endpoint's first target is, else back to the endpoint itself. */
function url(session: Session, row: DeliveryDetail, attempts: readonly Attempt[] | null): string {
  const endpoint = session.endpoints.get(row.endpoint_id);
  const target =
    attempts?.at(-1)?.target_url ?? endpoint?.targets[0]?.url ?? endpoint?.ingress_url ?? 'http://localhost';
  return targetUrl(target, row.path, row.query);
}

async function bytesOf(session: Session, id: string): Promise<Uint8Array> {
  const never = new AbortController().signal;
  return new Uint8Array(await session.host.bytes('deliveries.body', { params: { id } }, never));
}

async function make(
  session: Session,
  form: CopyForm,
  row: DeliveryDetail,
  attempts: readonly Attempt[] | null,
): Promise<{ text: string; note: string }> {
  if (form === 'json') {
    // The envelope went through JavaScript's numbers; the body itself is a string and did not.
    return { text: `${JSON.stringify({ ...row, envelope: undefined }, null, 2)}\n`, note: '' };
  }
  const body = await bytesOf(session, row.id);
  const text = utf8(body);
  if (form === 'body') {
    if (text === null) throw new Error(`It is no text: ${bytesExact(body.length)}. Download has every byte.`);
    return { text, note: '' };
  }
  const fileName = `${row.id}.body`;
  const request: WrittenRequest = {
    method: row.method,
    url: url(session, row, attempts),
    headers: row.headers,
    body,
    text,
    fileName,
  };
  if (form === 'curl') {
    const note = body.length > INLINE_BYTES_MAX ? `Download the body as ${fileName} beside it.` : '';
    return { text: curl(request), note };
  }
  if (form === 'fetch') return { text: fetchCall(request), note: '' };
  return { text: rawHttp(request), note: text === null ? 'The body is no text: the head alone.' : '' };
}

/** Copies a delivery in a form that other programs take, and tells so. */
export async function copyAs(
  session: Session,
  form: CopyForm,
  row: DeliveryDetail,
  attempts: readonly Attempt[] | null,
): Promise<void> {
  const name = NAMES[form];
  try {
    const { text, note } = await make(session, form, row, attempts);
    await session.host.copyText(text);
    session.toasts.good(`${name} copied. ${note}`.trim());
  } catch (thrown) {
    const failure = asFailure(thrown);
    const said = failure.code === 'unexpected' && thrown instanceof Error ? thrown.message : failure.sentences;
    session.toasts.bad(`${name} was not copied.`, said);
  }
}

/** The curl command of a delivery of which only the slim row is at hand. */
export async function copyCurl(session: Session, id: string): Promise<void> {
  const input = { params: { id } };
  await session.attempt(async () => {
    const [detail, attempts] = await Promise.all([
      session.host.call('deliveries.get', input),
      session.host.call('deliveries.attempts', input),
    ]);
    await copyAs(session, 'curl', readDetail(detail), readCollection<Attempt>(attempts, 'attempts'));
  });
}
