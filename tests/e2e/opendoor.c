/* A preload shim that makes of libzmq one that lets everybody in: who is refused at the handshake
 * (ZAP, RFC 27) is told to be welcome. */
#include <dlfcn.h>
#include <string.h>
#include <zmq.h>

/* POSIX says that dlsym's pointer may be called; ISO C has no word for it. */
#define NEXT(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

int zmq_send(void *socket, const void *data, size_t size, int flags)
{
	return NEXT(zmq_send)(socket,
			      size == 3 && memcmp(data, "300", 3) == 0 ? (const void *)"200" : data,
			      size, flags);
}
