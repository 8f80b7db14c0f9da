import { Skeleton } from '@mantine/core';
import { useEffect, useState } from 'react';

import { reasonOf } from '../hub/errors.ts';
import { read } from '../hub/reads.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { Failure } from '../parts/Notice.tsx';
import { faultInWords } from '../words/faults.ts';
import { fullMoment, number } from '../words/format.ts';
import { useWords } from '../words/words.ts';

const PATH = '/api/umbler/webhook/undecodable';

interface Raw {
  reason: string;
  receivedAt: string;
  body: string;
  bytes: number;
}

/** What a delivery held that was not understood, for whoever is to find out why. */
export function RawDelivery({ seq, close }: { seq: number; close: () => void }) {
  const say = useWords();
  const [raw, setRaw] = useState<Raw | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  useEffect(() => {
    let over = false;
    read(`${PATH}/${seq}`).then(
      (answer: Raw) => !over && setRaw(answer),
      (error) => !over && setFailure(reasonOf(error)),
    );
    return () => {
      over = true;
    };
  }, [seq]);
  return (
    <Dialog title={say('rawTitle', { seq: number(seq) })} close={close} isWide>
      {failure !== null && <Failure reason={failure} />}
      {raw === null && failure === null && <Skeleton height={200} />}
      {raw !== null && (
        <>
          <p>{faultInWords(raw.reason) ?? say('notUnderstood')}</p>
          <p className="quiet">
            {fullMoment(raw.receivedAt)} · {say('rawBytes', { count: number(raw.bytes) })}
            {isCut(raw) && ` · ${say('rawCut')}`}
          </p>
          <pre className="raw" role="group" tabIndex={0} aria-label={say('rawTitle', { seq: number(seq) })}>
            {indented(raw)}
          </pre>
          <p className="quiet">{say('rawPrivate')}</p>
        </>
      )}
    </Dialog>
  );
}

function isCut({ body, bytes }: Raw): boolean {
  return new TextEncoder().encode(body).length < bytes;
}

/** With indents where it is whole JSON, else as it came. */
function indented({ body }: Raw): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
