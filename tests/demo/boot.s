# SPDX-License-Identifier: GPL-3.0-or-later
# The boot program of the demo guests: reads the disk's last sector through the BIOS, writes the text it finds there to
# COM1 and halts for good, deaf to the power button unless OBEYS is set. That the banner comes shows that the volume is whole
# up to its end. BANNER_SECTOR and OBEYS are set by make-disk.sh.
        .code16
        .globl  _start
_start:
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        movb    $0x42, %ah              # extended read; the BIOS left the boot drive in %dl
        movw    $packet, %si
        int     $0x13
        movw    $banner, %si
        jnc     character
        movw    $unreadable, %si
character:
        lodsb
        testb   %al, %al
        jz      stop
        movb    %al, %bl
        movw    $0x3fd, %dx
busy:
        inb     %dx, %al
        testb   $0x20, %al              # transmitter empty
        jz      busy
        movb    %bl, %al
        movw    $0x3f8, %dx
        outb    %al, %dx
        jmp     character
stop:
.ifdef OBEYS
        movw    $0x602, %dx             # where the BIOS puts ACPI's registers in qemu
        movw    $0x100, %ax             # tell of the power button
        outw    %ax, %dx
        sti
awake:
        hlt                             # until the next tick of the BIOS's clock
        movw    $0x600, %dx
        inw     %dx, %ax
        testb   $1, %ah                 # pressed
        jz      awake
        movw    $0x604, %dx
        movw    $0x2000, %ax            # off
        outw    %ax, %dx
.endif
        hlt
        jmp     stop

        .set    banner, 0x7e00
        .balign 4
packet:
        .byte   16, 0
        .word   1                       # sectors
        .word   banner, 0               # offset, segment
        .quad   BANNER_SECTOR
unreadable:
        .asciz  "the last sector of the disk cannot be read\r\n"
        .org    510
        .word   0xaa55
