import { Button, Checkbox, PasswordInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';

import { useHub } from '../hub/hub.tsx';
import { endOf, reasonOf } from '../hub/errors.ts';
import { storeToken } from '../hub/token.ts';
import { useWords } from '../words/words.ts';

export default function SignIn() {
  const say = useWords();
  const { client, error } = useHub();
  const [token, setToken] = useState('');
  const [keep, setKeep] = useState(true);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setRefusal(null);
    const given = token.trim();
    try {
      // Stored first: once connected this form is gone.
      storeToken(keep ? given : null);
      await client.connect(given);
    } catch (refused) {
      storeToken(null);
      setRefusal(reasonOf(refused));
    }
    setBusy(false);
  }

  const end = endOf(error);
  const shown = refusal !== null ? say('refused', { reason: refusal }) : end && say(end);
  return (
    <main className="sign-in">
      <form onSubmit={submit} aria-labelledby="sign-in-title">
        <p className="product">{client.hello?.organization ?? say('product')}</p>
        <h1 id="sign-in-title">{say('signIn')}</h1>
        <p className="quiet">{say('signInHint')}</p>
        <PasswordInput
          label={say('token')}
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
          autoFocus
          required
          withAsterisk={false}
        />
        <Checkbox label={say('keepToken')} checked={keep} onChange={(event) => setKeep(event.currentTarget.checked)} />
        {shown !== null && (
          <p role="alert" className="refusal">
            {shown}
          </p>
        )}
        <Button type="submit" loading={busy} fullWidth>
          {say('signIn')}
        </Button>
      </form>
    </main>
  );
}
