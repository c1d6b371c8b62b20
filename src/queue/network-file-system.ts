/** File systems on another machine, where SQLite's locks are unreliable, by the `f_type` that statfs(2) returns. */
const NETWORK_FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xfe534d42: 'SMB2',
  0xff534d42: 'CIFS',
  0x01021997: '9p',
  0x5346414f: 'AFS',
  0x6b414653: 'AFS',
  0x73757245: 'Coda',
  0x564c: 'NCP',
  0x00c36400: 'Ceph',
  0x0bd00bd0: 'Lustre',
  0x01161970: 'GFS2',
  0x7461636f: 'OCFS2',
};

/** The name of the network file system with this `f_type`, or null for a local one. */
export function networkFileSystem(type: number): string | null {
  // The kernel's field is signed on some machines: 0xff534d42 may come as a negative number.
  return NETWORK_FILE_SYSTEMS[type >>> 0] ?? null;
}
