import { Alert, Button } from '@mantine/core';

import { useWords } from '../words/words.ts';

/** Something could not be read: what, and another try. */
export function Failure({ reason, again }: { reason: string; again?: () => void }) {
  const say = useWords();
  return (
    <Alert className="notice" role="alert" variant="light" color="red">
      {say('failed', { reason })}{' '}
      {again && (
        <Button size="compact-sm" variant="default" onClick={again}>
          {say('reload')}
        </Button>
      )}
    </Alert>
  );
}
