/** What a page keeps in the browser; where the browser denies that, nothing is kept and nothing throws. */
export type Kept = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** Kept in this browser until somebody clears it. */
export declare const forBrowser: Kept;
/** Kept in this tab, through reloads. */
export declare const forTab: Kept;
