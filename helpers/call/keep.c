/* SPDX-License-Identifier: LGPL-2.1-only */
/* Descriptors that a worker leaves to the parent of a call, with what they lock. */
#include "keep.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The parent's end, and the workers'. */
static int ends[2] = {-1, -1};

/* A message with one descriptor. */
struct parcel {
	char byte;
	struct iovec bytes;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct msghdr message;
};

static void prepare(struct parcel *parcel)
{
	*parcel = (struct parcel){.byte = 0};
	parcel->bytes = (struct iovec){.iov_base = &parcel->byte, .iov_len = 1};
	parcel->message = (struct msghdr){
		.msg_iov = &parcel->bytes,
		.msg_iovlen = 1,
		.msg_control = parcel->control,
		.msg_controllen = sizeof(parcel->control),
	};
}

bool keep_open(void)
{
	return !socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
}

void keep_send(int fd)
{
	struct parcel parcel;

	if (ends[1] < 0)
		return;
	prepare(&parcel);
	struct cmsghdr *header = CMSG_FIRSTHDR(&parcel.message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	if (sendmsg(ends[1], &parcel.message, MSG_NOSIGNAL) == 1)
		close(fd);
}

int keep_receive(void)
{
	struct parcel parcel;
	int fd = -1;

	if (ends[0] < 0)
		return -1;
	prepare(&parcel);
	if (recvmsg(ends[0], &parcel.message, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	struct cmsghdr *header = CMSG_FIRSTHDR(&parcel.message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
		header->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(header), sizeof(int));
	return fd;
}
