import { connect, type Socket } from 'node:net';

/** Connections that a storm comes over. */
const CONNECTIONS = 48;

/** A request as the bytes that go over the wire. */
function request(url: URL, body: string): string {
  return [
    `POST ${url.pathname} HTTP/1.1`,
    `Host: ${url.host}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

/** Posts all bodies as fast as they are taken. Resolves with the statuses' counts and how long it took, in milliseconds. */
export async function storm(
  address: string,
  bodies: readonly string[],
): Promise<{ took: number; accepted: number; refused: number }> {
  const url = new URL(address);
  const waiting = bodies.map((body) => request(url, body)).reverse();
  let [accepted, refused] = [0, 0];
  const sockets = await Promise.all(
    Array.from(
      { length: CONNECTIONS },
      () =>
        new Promise<Socket>((resolve, reject) => {
          const socket = connect(Number(url.port), url.hostname, () => resolve(socket));
          socket.once('error', reject);
        }),
    ),
  );
  const from = performance.now();
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve, reject) => {
          let answer = '';
          const next = () => {
            const text = waiting.pop();
            if (text !== undefined) socket.write(text);
            else {
              socket.end();
              resolve();
            }
          };
          socket.once('close', () => resolve());
          socket.once('error', reject);
          socket.on('data', (piece: Buffer) => {
            answer += piece.toString('latin1');
            const head = answer.indexOf('\r\n\r\n');
            const length = /content-length: (\d+)/i.exec(answer)?.[1];
            if (head < 0 || answer.length < head + 4 + Number(length ?? 0)) return;
            if (answer.startsWith('HTTP/1.1 200')) accepted += 1;
            else refused += 1;
            answer = '';
            next();
          });
          next();
        }),
    ),
  );
  return { took: performance.now() - from, accepted, refused };
}

/** Posts so many a second, each at its time; when each was sent and when it was accepted, in Unix milliseconds. */
export async function steadily(
  address: string,
  bodies: readonly string[],
  perSecond: number,
): Promise<{ sent: number; accepted: number }[]> {
  const from = Date.now();
  return Promise.all(
    bodies.map(async (body, index) => {
      await new Promise((resolve) => setTimeout(resolve, from + (index * 1000) / perSecond - Date.now()));
      const sent = Date.now();
      const response = await fetch(address, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
      const accepted = Date.now();
      if (response.status !== 200) throw new Error(`The engine answered ${response.status}.`);
      await response.arrayBuffer();
      return { sent, accepted };
    }),
  );
}
