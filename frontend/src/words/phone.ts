/** Phone numbers as people write them. */

/** A Brazilian number as it is written there; any other as it came. */
export function phoneNumber(phone: string): string {
  return phone.replace(/^\+55(\d\d)(\d{4,5})(\d{4})$/, '+55 $1 $2-$3');
}
