/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * LD_PRELOAD=no-dh.so: GnuTLS makes no Diffie-Hellman parameters. nbd-server makes some at each
 * start, for which it searches a large prime, whether or not an export uses TLS.
 */
int gnutls_dh_params_generate2(void *parameters, unsigned int bits);

int gnutls_dh_params_generate2(void *parameters, unsigned int bits)
{
	(void)parameters;
	(void)bits;
	return 0;
}
