<resource schema="dc">
</resource>
