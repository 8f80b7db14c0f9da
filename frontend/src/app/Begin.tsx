import { useEffect, useState } from 'react';
import { Navigate } from 'react-router';

import { useHub } from '../hub/hub.tsx';
import { useRole } from '../hub/role.ts';
import { isNewHub } from '../settings/useSetup.ts';

/** Where the address without a page leads: an admin of an empty hub is shown how to set it up, everybody else what is live. */
export function Begin() {
  const { isConnected } = useHub();
  const isAdmin = useRole() === 'admin';
  const [isNew, setNew] = useState<boolean | null>(null);
  useEffect(() => {
    if (!isConnected || !isAdmin) return;
    let isOver = false;
    void isNewHub().then((answer) => {
      if (!isOver) setNew(answer ?? false);
    });
    return () => {
      isOver = true;
    };
  }, [isConnected, isAdmin]);
  if (isConnected && !isAdmin) return <Navigate to="/live" replace />;
  if (isNew === null) return null;
  return <Navigate to={isNew ? '/settings/umbler' : '/live'} replace />;
}
