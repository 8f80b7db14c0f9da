import { Button, Checkbox, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';

import { problemsOf, reasonOf } from '../hub/errors.ts';
import { hub } from '../hub/hub.tsx';
import { Dialog } from '../parts/Dialog.tsx';
import { fileName, saveFile } from '../parts/save.ts';
import { locale, useWords } from '../words/words.ts';

const REASON_CHARS_MAX = 200;

interface Erased {
  blanked: { messages: number; rawDeliveries: number };
  left: { files: string[] };
}

/** For admins: everything that is stored of a contact as a file, and its erasure. */
export function PersonalData({ contactId }: { contactId: string }) {
  const say = useWords();
  const [failure, setFailure] = useState<string | null>(null);
  const [erasing, setErasing] = useState(false);
  const path = `/api/umbler/contacts/${encodeURIComponent(contactId)}/personal-data`;

  async function save(format: 'html' | 'json') {
    setFailure(null);
    try {
      const query = format === 'html' ? { format, language: locale() === 'pt-BR' ? 'pt-BR' : 'en' } : { format };
      const type = format === 'html' ? 'text/html' : 'application/json';
      saveFile(await hub.download(path, query, type), `${fileName(say('personalData'))}.${format}`);
    } catch (error) {
      setFailure(reasonOf(error));
    }
  }

  return (
    <section className="about personal-data">
      <h3>{say('personalData')}</h3>
      <p className="buttons">
        <Button variant="default" size="xs" onClick={() => void save('html')}>
          {say('exportHtml')}
        </Button>
        <Button variant="default" size="xs" onClick={() => void save('json')}>
          {say('exportJson')}
        </Button>
        <Button variant="subtle" color="gray" size="xs" onClick={() => setErasing(true)}>
          {say('eraseData')}
        </Button>
      </p>
      {failure !== null && (
        <p role="alert" className="refusal">
          {say('refused', { reason: failure })}
        </p>
      )}
      {erasing && <EraseDialog path={path} close={() => setErasing(false)} />}
    </section>
  );
}

function EraseDialog({ path, close }: { path: string; close: () => void }) {
  const say = useWords();
  const [reason, setReason] = useState('');
  const [block, setBlock] = useState(false);
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<unknown>(null);
  const wrongReason = problemsOf(refusal).get('reason');
  const [erased, setErased] = useState<Erased | null>(null);
  const isSure = typed.trim() === say('eraseWord') && reason.trim() !== '';

  async function erase(event: FormEvent) {
    event.preventDefault();
    if (!isSure) return;
    setBusy(true);
    setRefusal(null);
    try {
      const query = new URLSearchParams({ reason: reason.trim(), ...(block && { block: 'true' }) });
      setErased(await hub.send('DELETE', `${path}?${query}`));
    } catch (error) {
      setRefusal(error);
    }
    setBusy(false);
  }

  return (
    <Dialog title={say('eraseTitle')} close={close}>
      {erased === null ? (
        <form onSubmit={(event) => void erase(event)} className="form">
          <p>{say('eraseWarning')}</p>
          <TextInput
            label={say('eraseReason')}
            description={say('eraseReasonHint')}
            value={reason}
            maxLength={REASON_CHARS_MAX}
            onChange={(event) => setReason(event.currentTarget.value)}
            error={wrongReason}
            autoComplete="off"
            data-autofocus
          />
          <Checkbox
            label={say('eraseBlock')}
            checked={block}
            onChange={(event) => setBlock(event.currentTarget.checked)}
          />
          <TextInput
            label={say('eraseConfirm', { word: say('eraseWord') })}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            spellCheck={false}
          />
          {refusal !== null && (
            <p role="alert" className="refusal">
              {say('refused', { reason: reasonOf(refusal) })}
            </p>
          )}
          <footer>
            <Button type="submit" color="red.9" disabled={!isSure || busy}>
              {say('eraseNow')}
            </Button>
          </footer>
        </form>
      ) : (
        <div role="status">
          <p>{say('eraseDone', { messages: erased.blanked.messages, deliveries: erased.blanked.rawDeliveries })}</p>
          <p>{say('eraseLeft')}</p>
          {erased.left.files.length > 0 && (
            <ul>
              {erased.left.files.map((name) => (
                <li key={name}>
                  <code>{name}</code>
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
    </Dialog>
  );
}
